// The start of the console: draws the page that the address names.
const root = document.getElementById("root");
const heading = document.createElement("h1");
heading.textContent = "carbonline";
const words = document.createElement("p");
words.textContent = "The HTTP API is described at ";
const link = document.createElement("a");
link.href = "/v1/openapi.json";
link.textContent = "/v1/openapi.json";
words.append(link);
root.replaceChildren(heading, words);
