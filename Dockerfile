# The image of scheduler, ledger process, worker, migration and command line: one for all of them.
# No container engine runs where carbonline is tested, so this file is checked by parsing it
# (tests/build/test_compose.py) and has never been built there.

FROM python:3.12-slim AS build
WORKDIR /source
RUN python -m venv /opt/carbonline
ENV PATH=/opt/carbonline/bin:$PATH
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml LICENSE NOTICE ./
COPY protos protos
COPY carbonline carbonline
COPY scheduler_service scheduler_service
COPY worker_service worker_service
COPY migrations migrations
# The build tools are in the lock, so nothing unhashed is fetched.
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN groupadd --gid 10001 carbonline \
    && useradd --uid 10001 --gid carbonline --no-create-home --shell /usr/sbin/nologin carbonline \
    # Volumes that are mounted here take over the owner and the mode: a socket in this folder is
    # trusted like a password, so nobody else may reach it.
    && install --directory --owner carbonline --group carbonline --mode 0700 \
        /run/carbonline /var/lib/carbonline/blobs
COPY --from=build /opt/carbonline /opt/carbonline
ENV PATH=/opt/carbonline/bin:$PATH PYTHONUNBUFFERED=1
USER carbonline
CMD ["carbonline", "--help"]
