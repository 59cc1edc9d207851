"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", colour);
colour();

fetch("openapi.json").then(answer => answer.json()).then(show);

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
    // The shown commands are for the API's own address; the page itself stays within its origin.
    showMutatedRequest: false,
    requestInterceptor: request => {
      if (request.url.startsWith(api)) request.url = "api" + request.url.slice(api.length);
      return request;
    },
    // A sign-in that succeeds signs the page in.
    responseInterceptor: answer => {
      const token = answer.url.endsWith("/sessions") && answer.body?.data?.accessToken;
      if (token) page.preauthorizeApiKey("bearer", token);
      return answer;
    },
    // Nothing is sent to other addresses.
    validatorUrl: null,
  });
}
