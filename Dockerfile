# The image of scheduler, ledger process, worker, gateway, migration and command line: one for all.
# Each run of CI reads it (tests/build/test_compose.py). `make test-slow` builds it with buildah on a
# minimal Debian in place of the base image, and runs its processes (tests/build/test_image.py).

FROM python:3.12-slim AS wheel
WORKDIR /source
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY protos protos
COPY carbonline carbonline
COPY gateway_service gateway_service
COPY scheduler_service scheduler_service
COPY worker_service worker_service
COPY migrations migrations
COPY examples/nyc_flights_2013 examples/nyc_flights_2013
# The build tools are in the lock, so nothing unhashed is fetched.
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

# What runs: no build tool, no pip and no PostgreSQL stand in this environment.
FROM python:3.12-slim AS environment
RUN python -m venv --without-pip /opt/carbonline
COPY requirements-server.lock ./
RUN pip --python /opt/carbonline install --no-cache-dir --require-hashes --only-binary :all: \
    --requirement requirements-server.lock
COPY --from=wheel /wheels /wheels
RUN pip --python /opt/carbonline install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python:3.12-slim
RUN groupadd --gid 10001 carbonline \
    && useradd --uid 10001 --gid carbonline --no-create-home --shell /usr/sbin/nologin carbonline \
    # Volumes that are mounted here take over the owner and the mode: a socket in this folder is
    # trusted like a password, so only the group may reach it, to which the client belongs.
    && install --directory --owner carbonline --group carbonline --mode 0770 /run/carbonline \
    && install --directory --owner carbonline --group carbonline --mode 0700 \
        /var/lib/carbonline/blobs
COPY --from=environment /opt/carbonline /opt/carbonline
ENV PATH=/opt/carbonline/bin:$PATH PYTHONUNBUFFERED=1
USER carbonline
CMD ["carbonline", "--help"]
