//! `cargo xtask build`: wasm, model, npm package and demo page, in that order, then what they weigh.

use anyhow::{Result, bail};

use crate::command::{self, npm, root};
use crate::wasm::{Optimise, Profile};
use crate::{sizes, tools, wasm};

/// Options of `build`.
#[derive(clap::Args)]
pub struct Arguments {
    /// How much time goes into making the wasm small and fast
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
    /// What wasm-opt optimises for (release profile only)
    #[arg(long, value_enum, default_value_t = Optimise::Speed)]
    optimise: Optimise,
}

/// Builds everything and prints the size report.
pub fn run(arguments: &Arguments) -> Result<()> {
    wasm::build(arguments.profile, arguments.optimise)?;
    pages()?;
    let report = sizes::measure(arguments.profile)?;
    print!("{}", sizes::table(&report));
    sizes::check(&report)
}

/// Builds the wasm, the package and the page without the report.
pub fn all(profile: Profile) -> Result<()> {
    wasm::build(profile, Optimise::Speed)?;
    pages()
}

/// Builds the package, which takes the default model in, and the page; expects the wasm to be there.
pub fn pages() -> Result<()> {
    if !root().join("models/default/manifest.json").is_file() {
        bail!("there is no model in models/default; README.md tells how to train one");
    }
    tools::npm_packages()?;
    command::run(&mut npm(&["run", "build", "--workspace", "pkg"]))?;
    command::run(&mut npm(&["run", "build", "--workspace", "www"]))
}
