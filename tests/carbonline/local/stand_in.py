"""A small process in the place of a server or a worker: `python stand_in.py ROLE`.

serves ADDRESS_VARIABLE: answers health checks. works: logs worker_started, ends at SIGTERM.
fails: says why and ends. anything else: is never ready.
"""

import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def log(event: str) -> None:
    print(json.dumps({"event": event, "tenant": os.environ["CARBONLINE_TENANT"]}), file=sys.stderr)


def serves(address_variable: str) -> None:
    service = health.HealthServicer()
    server = grpc.server(ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(service, server)
    server.add_insecure_port(os.environ[address_variable])
    server.start()
    service.set("", health_pb2.HealthCheckResponse.SERVING)
    until_stopped()
    server.stop(0).wait()


def until_stopped() -> None:
    signal.sigwait({signal.SIGTERM})
    log("drained")


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    match sys.argv[1:]:
        case ["serves", variable]:
            serves(variable)
        case ["works"]:
            log("worker_started")
            until_stopped()
        case ["fails"]:
            sys.exit("the reason stands here")
        case _:
            until_stopped()
