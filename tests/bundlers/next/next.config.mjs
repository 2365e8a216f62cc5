// A static page, in this folder and no other: the package needs no settings.

export default { output: "export", turbopack: { root: import.meta.dirname } };
