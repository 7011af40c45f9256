// The time as HTTP writes it (RFC 9110 section 5.6.7), made once a second. By the wall clock, for others read it.

let second = 0;
let text = "";

export function httpDate(): string {
  const nowMs = Date.now();
  const current = Math.floor(nowMs / 1_000);
  if (current !== second) {
    second = current;
    text = new Date(nowMs).toUTCString();
  }
  return text;
}
