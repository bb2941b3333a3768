// "This as JSON": the address of what is shown; where it was posted, the answer itself.

let last = null;

export function jsonAt(where) {
  const link = document.getElementById("as-json");
  if (last) URL.revokeObjectURL(last);
  last = null;
  link.href = where;
  link.removeAttribute("download");
}

export function jsonOf(answer) {
  jsonAt("");
  last = URL.createObjectURL(new Blob([JSON.stringify(answer, null, 2)], { type: "application/json" }));
  const link = document.getElementById("as-json");
  link.href = last;
  link.download = "matinee.json";
}
