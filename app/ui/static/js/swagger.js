// Starts the interactive documentation of the API; the address of the description is in the page.
const page = document.getElementById('swagger');

window.SwaggerUIBundle({
  url: page.dataset.openapiUrl,
  domNode: page,
  deepLinking: true,
  docExpansion: 'list',
  validatorUrl: null, // never ask a server outside the intranet
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
});
