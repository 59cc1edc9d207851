"use strict";

// The console shares its settings with this page: colours, account, and its name as a client.
const setting = name => localStorage.getItem(`console-${name}`) || null;

const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = () => {
  const chosen = setting("theme") ?? "system";
  const isDark = chosen === "system" ? dark.matches : chosen === "dark";
  document.documentElement.classList.toggle("dark-mode", isDark);
  document.documentElement.style.colorScheme = chosen === "system" ? "" : chosen;
};
dark.addEventListener("change", colour);
addEventListener("storage", colour);
colour();

fetch("openapi.json").then(async answer => {
  const body = await answer.json();
  if (answer.ok) show(body);
  else fail(body.error);
}).catch(error => fail(`The document cannot be shown: ${error.message}`));

function fail(reason) {
  document.getElementById("page").textContent = reason;
}

function show(spec) {
  document.title = spec.info.title;
  const api = spec.servers[0].url;
  const page = SwaggerUIBundle({
    spec,
    dom_id: "#page",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    tryItOutEnabled: true,
    // The commands shown use the API's own address; the page itself sends requests only to its
    // origin.
    showMutatedRequest: false,
    requestInterceptor: request => {
      if (!request.url.startsWith(api)) return request;
      request.url = "api" + request.url.slice(api.length);
      for (const name of ["account", "client"]) {
        if (setting(name)) request.headers[`x-console-${name}`] = setting(name);
      }
      return request;
    },
    // A successful sign-in also signs the page in.
    responseInterceptor: answer => {
      const token = answer.url.endsWith("/sessions") && answer.body?.data?.accessToken;
      if (token) page.preauthorizeApiKey("bearer", token);
      return answer;
    },
    // The page sends no requests to other addresses.
    validatorUrl: null,
  });
}
