/* Given the fields of a form, the part of a page that the service makes of them. */

/* Sent as a body, since addresses stand in logs. 422 is an answer too: it says what is wrong with the question. */
export async function fetchFragment(address, fields, signal) {
  const response = await fetch(address, { method: "POST", body: new URLSearchParams(fields), signal });
  if (!response.ok && response.status !== 422) throw new Error(`status ${response.status}`);
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  signal.throwIfAborted();
  return template.content;
}
