// Sets the chosen colours before the first paint. A classic script, because modules run later.
"use strict";
{
  const theme = localStorage.getItem("console-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}
