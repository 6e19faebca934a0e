// A web backend in front of carbonline: it takes a CSV over HTTP, follows the pipeline, and serves totals.
//
//   POST /uploads?type=plane&year=2024&name=trips.csv   the body is the file; answers {"pipeline": "7"}
//   GET  /pipelines/7/events                            server-sent events, until the pipeline ends
//   GET  /totals?year=2024                              what counts, and whether it is fresh
import { randomUUID } from "node:crypto";
import http from "node:http";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const CALL_MS = 15_000;
const CHUNK_BYTES = 512 * 1024;
const FILE_BYTES_MAX = 64 * 1024 * 1024;
const [PROTOS, SCHEDULER, LEDGER, PORT, TOKEN] = ["PROTOS", "SCHEDULER", "LEDGER", "PORT", "TOKEN"].map(
  (name) => process.env[name] ?? "",
);

const definition = protoLoader.loadSync(
  ["scheduler", "operations", "ledger", "blobs"].map((name) => `carbonline/v1/${name}.proto`),
  { includeDirs: [PROTOS], longs: String, enums: String, defaults: true, oneofs: true },
);
const { carbonline } = grpc.loadPackageDefinition(definition);
const plain = grpc.credentials.createInsecure();
const scheduler = new carbonline.v1.SchedulerService(SCHEDULER, plain);
const ledger = new carbonline.v1.LedgerService(LEDGER, plain);
const blobs = new carbonline.v1.BlobService(LEDGER, plain);

const metadata = new grpc.Metadata();
if (TOKEN) metadata.set("authorization", `Bearer ${TOKEN}`);

function ask(client, method, request) {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + CALL_MS };
    client[method](request, metadata, options, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

function uploadBlob(scope, fileName, bytes) {
  return new Promise((resolve, reject) => {
    const call = blobs.UploadBlob(metadata, (error, answer) => (error ? reject(error) : resolve(answer)));
    call.write({ header: { scope, fileName } });
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      call.write({ chunk: bytes.subarray(start, start + CHUNK_BYTES) });
    }
    call.end();
  });
}

async function body(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > FILE_BYTES_MAX) throw Object.assign(new Error("the file is too large"), { http: 413 });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function upload(request, query) {
  const scope = {
    module: "MODULE_PROFESSIONAL_TRAVEL",
    dataEntryType: `DATA_ENTRY_TYPE_${(query.get("type") ?? "").toUpperCase()}`,
    year: Number(query.get("year")),
  };
  const name = query.get("name") ?? "upload.csv";
  const { blob } = await uploadBlob(scope, name, await body(request));
  const payload = { fields: { blob: { stringValue: blob }, file_name: { stringValue: name } } };
  // The caller's own id, if there is one: a repeat of the request then makes no second pipeline.
  const requestId = request.headers["idempotency-key"] ?? randomUUID();
  const submitted = await ask(scheduler, "Submit", { requestId, jobType: "csv_ingest", scope, payload });
  return { pipeline: submitted.pipelineId, disposition: submitted.disposition };
}

// A server that ends cuts a watch with CANCELLED.
const RESUMABLE = [grpc.status.UNAVAILABLE, grpc.status.RESOURCE_EXHAUSTED, grpc.status.CANCELLED];

// What breaks off goes on from the last version, until the browser has gone.
function follow(pipelineId, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  let version = "0";
  let call;
  const watch = () => {
    if (response.destroyed) return;
    call = scheduler.WatchPipeline({ pipelineId, afterVersion: version }, metadata);
    call.on("data", (message) => {
      const told = message[message.message];
      version = told.pipeline?.version ?? version;
      if (message.message === "keepalive") return;
      const { status } = told.pipeline ?? {};
      response.write(`event: ${message.message}\ndata: ${JSON.stringify({ status, version })}\n\n`);
      if (message.message === "final") response.end();
    });
    call.on("error", (error) => {
      if (response.writableEnded || response.destroyed) return;
      if (RESUMABLE.includes(error.code)) setTimeout(watch, 500 + 500 * Math.random());
      else response.end(`event: refused\ndata: ${JSON.stringify({ message: error.details })}\n\n`);
    });
  };
  watch();
  response.on("close", () => call.cancel());
}

async function totals(query) {
  const answer = await ask(ledger, "GetTotals", { year: Number(query.get("year")) });
  const stale = answer.freshness.filter((one) => !one.fresh).map((one) => one.module);
  return { kg: answer.institution?.totalKgExact ?? null, stale };
}

const HTTP_OF = {
  [grpc.status.INVALID_ARGUMENT]: 400,
  [grpc.status.PERMISSION_DENIED]: 403,
  [grpc.status.NOT_FOUND]: 404,
  [grpc.status.FAILED_PRECONDITION]: 409,
  [grpc.status.UNAVAILABLE]: 503,
};

const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, "http://gateway");
  const watched = url.pathname.match(/^\/pipelines\/(\d+)\/events$/);
  try {
    if (watched && request.method === "GET") return follow(watched[1], response);
    let answer;
    if (url.pathname === "/uploads" && request.method === "POST") {
      answer = await upload(request, url.searchParams);
    } else if (url.pathname === "/totals" && request.method === "GET") {
      answer = await totals(url.searchParams);
    } else throw Object.assign(new Error("there is no such page"), { http: 404 });
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  } catch (error) {
    const status = error.http ?? HTTP_OF[error.code] ?? 500;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ message: error.details ?? error.message }));
  }
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`listening on ${server.address().port}`));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
