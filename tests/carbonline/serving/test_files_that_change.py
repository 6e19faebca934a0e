"""A file that a process reads anew when it changes has changed, too, when only its mode has: it may
have been unreadable.
"""

import os
from pathlib import Path

import structlog

from carbonline.client.channel import _stamp_of
from carbonline.client.renewing_channel import _stamps_of
from carbonline.client.tls_files import TlsFiles
from carbonline.serving.auth.certificates import Certificates
from carbonline.serving.tls import _Reloading
from carbonline.serving.tls_settings import TlsSettings


def test_a_change_of_the_mode_alone_is_a_change(tmp_path: Path) -> None:
    file = tmp_path / "file"
    # Of the callers of certificates, nobody.
    file.write_text("")
    # The moment at which the text was written, which no change of the mode changes.
    os.utime(file, (0, 0))
    changed = file.stat().st_ctime_ns
    log = structlog.get_logger()
    assert changed in (Certificates(file, log)._stamp_now() or ())
    assert changed in _stamp_of(file)
    assert changed in _stamps_of(TlsFiles(file))[0]
    assert changed in _Reloading(TlsSettings(file, file, None), log)._stamps_now()[0]
