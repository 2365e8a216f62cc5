// Nothing but the pages: the package needs no settings.

export default { build: { rolldownOptions: { input: ["index.html", "react.html", "readme.html", "readme-react.html", "readme-model.html", "urls.html"] } } };
