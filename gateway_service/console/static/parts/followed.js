// One pipeline that a page follows: asked for whenever the stream tells of another version.
import { useEffect } from "preact/hooks";
import { get } from "../api.js";
import { jobsOf, pipelines, take } from "../store.js";
import { useAsked } from "./asked.js";

/** {row, jobs, asked}: the pipeline and its jobs as known now; row is undefined before that. */
export function usePipeline(id) {
  const row = pipelines.value.get(id);
  const asked = useAsked((signal) => get(`/v1/pipelines/${id}`, {}, { signal }), [id, row?.version]);
  useEffect(() => {
    if (asked.value) take({ pipelines: [asked.value.pipeline], jobs: asked.value.jobs });
  }, [asked.value]);
  return { row, jobs: jobsOf(id, asked.value?.jobs), asked };
}
