// How parts are written: templates of HTML that Preact draws.
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
