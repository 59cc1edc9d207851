"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", colour);
colour();

fetch("openapi.json").then(async answer => {
  const body = await answer.json();
  if (answer.ok) show(body);
  else document.getElementById("page").textContent = body.error;
});

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
      if (request.url.startsWith(api)) request.url = "api" + request.url.slice(api.length);
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
