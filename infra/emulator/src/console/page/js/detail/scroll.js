/** Scrolls to a part of the request. */
export function scrollTo(part) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.getElementById(`part-${part}`)?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
}
