"""How large a request may be: the option `request_bytes_max` of its RPC in the proto."""

from carbonline.serving.auth.roles import options_of
from carbonline.v1 import options_pb2

# As the proto says of RPCs without the option. Lists of a hundred names fit in.
REQUEST_BYTES_MAX = 256 * 1024


def request_bytes_max(method: str) -> int:
    """The most bytes of a request of a method, given as on the wire; of health and reflection, too,
    whose protos know no such option.
    """
    options = options_of(method)
    own = options.Extensions[options_pb2.request_bytes_max] if options is not None else 0
    return own or REQUEST_BYTES_MAX
