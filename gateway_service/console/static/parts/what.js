// What a pipeline does, in words.
import { kindName, moduleName, typeName } from "../format.js";

/** What a pipeline does, in words. */
export function whatOf(row) {
  const { module, data_entry_type: type, reference_kind: reference } = row.scope ?? {};
  const parts = [kindName(row.kind), module && moduleName(module), typeName(type), reference];
  return parts.filter(Boolean).join(", ");
}
