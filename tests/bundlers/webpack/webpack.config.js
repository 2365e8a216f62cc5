// Nothing but entry and output: the package needs no loader and no plug-in. The page lies in public/, beside dist/.

const path = require("node:path");

module.exports = {
  mode: "production",
  entry: "./app/main.js",
  output: { path: path.join(__dirname, "public", "built"), filename: "main.js" },
};
