//! `cargo xtask test`: every check of the project, in order, each named and timed; stops at the first failure.

use std::time::Instant;

use anyhow::Result;
use clap::ValueEnum;

use crate::command::{self, cargo, npm};
use crate::wasm::{Optimise, Profile};
use crate::{build, guard, tools, wasm};

/// Options of `test`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run only this step (may be given several times)
    #[arg(long, value_enum, value_name = "STEP")]
    only: Vec<Step>,
}

/// The steps, in the order in which they run: what is quick to fail comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting of the Rust code
    Format,
    /// No training code in the dependencies of the wasm
    Guard,
    /// Lints of all crates
    Lint,
    /// Lints of what runs in the browser, for its target
    LintWasm,
    /// Rust tests of all crates, on the CPU and on WebGPU
    Rust,
    /// The wasm for the browser tests
    Wasm,
    /// The npm package and the demo page, built on that wasm
    Build,
    /// TypeScript types
    Types,
    /// Tests of the npm package and of the page
    Package,
    /// Tests of the demo page in Chromium
    Browser,
    /// Core tests of package and demo page in Firefox
    Firefox,
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Installs what the step needs, then runs it.
    fn run(self) -> Result<()> {
        match self {
            Self::Format => {
                tools::rust_component("rustfmt")?;
                // The names of the files are enough: `cargo fmt` mends them.
                command::run(&mut cargo(&["fmt", "--all", "--check", "--", "-l"]))
            }
            Self::Guard => guard::run(),
            Self::Lint => {
                tools::rust_component("clippy")?;
                // The command line without its WebGPU feature, on top of everything with it: its default build.
                command::run(&mut cargo(&["clippy", "-p", "sensorllm-cli", "--", "-D", "warnings"]))?;
                let clippy = ["clippy", "--workspace", "--all-targets", "--features", WEBGPU];
                command::run(cargo(&clippy).args(["--", "-D", "warnings"]))
            }
            Self::LintWasm => {
                tools::rust_component("clippy")?;
                tools::wasm_target()?;
                let clippy = ["clippy", "-p", "sensorllm-web", "--target", tools::WASM_TARGET];
                command::run(cargo(&clippy).args(["--", "-D", "warnings"]))
            }
            Self::Rust => {
                tools::vulkan_driver()?;
                tools::node()?;
                command::run(&mut cargo(&["test", "--workspace", "--features", WEBGPU]))?;
                // Once more the kernels on subgroups of sixteen, as GPUs have them and where kernels do without a barrier: Mesa's
                // software adapter has by itself what fits the processor's registers.
                let kernels = ["test", "--workspace", "--features", WEBGPU, "--lib", "kernels::gpu"];
                command::run(cargo(&kernels).env("LP_NATIVE_VECTOR_WIDTH", "512"))
            }
            Self::Wasm => wasm::build(Profile::Quick, Optimise::Speed),
            Self::Build => build::pages(),
            Self::Types => {
                tools::npm_packages()?;
                command::run(&mut npm(&["run", "check", "--workspaces", "--if-present"]))
            }
            Self::Package => {
                tools::npm_packages()?;
                command::run(&mut npm(&["test", "--workspace", "pkg", "--workspace", "www"]))
            }
            Self::Browser => {
                tools::npm_packages()?;
                tools::vulkan_driver()?;
                let chromium = tools::chromium()?;
                // The command line makes the models that the tests load. Built as for its own tests, which the step `rust` has
                // done: `cargo build` would choose other features of some dependencies and compile most of them again.
                command::run(&mut cargo(&[
                    "test",
                    "--workspace",
                    "--features",
                    WEBGPU,
                    "--test",
                    "cli",
                    "--no-run",
                ]))?;
                // Writes the cases that the browser runs the WebGPU kernels on.
                command::run(&mut cargo(&[
                    "test",
                    "--workspace",
                    "--features",
                    WEBGPU,
                    "--test",
                    "twin_cases",
                ]))?;
                let program = command::target_folder().join("debug").join(if cfg!(windows) {
                    "sensorllm.exe"
                } else {
                    "sensorllm"
                });
                command::run(
                    npm(&["test", "--workspace", "tests/browser"])
                        .env("CHROMIUM", chromium)
                        .env("SENSORLLM_CLI", program),
                )
            }
            Self::Firefox => {
                tools::npm_packages()?;
                let firefox = tools::firefox()?;
                // What Firefox computes is compared with what Chromium does.
                let chromium = tools::chromium()?;
                command::run(
                    npm(&["run", "test:firefox", "--workspace", "tests/browser"])
                        .env("FIREFOX", firefox)
                        .env("CHROMIUM", chromium),
                )
            }
        }
    }
}

/// Cargo features that put WebGPU into the native builds.
const WEBGPU: &str = "sensorllm/webgpu,sensorllm-cli/webgpu";

/// Runs the steps; fails if one of them does.
pub fn run(arguments: &Arguments) -> Result<()> {
    let chosen = |step: &Step| arguments.only.is_empty() || arguments.only.contains(step);
    let steps: Vec<Step> = Step::value_variants().iter().copied().filter(chosen).collect();
    let started = Instant::now();
    for (done, step) in steps.iter().enumerate() {
        let label = format!("[{}/{}] {}", done + 1, steps.len(), step.name());
        println!("{label}");
        let step_started = Instant::now();
        if let Err(error) = step.run() {
            println!("{error:#}");
            println!("{label} FAILED after {}", seconds(step_started));
            println!("Run it alone with: cargo xtask test --only {}", step.name());
            println!("{done} passed, 1 failed, {} not run", steps.len() - done - 1);
            std::process::exit(1);
        }
        println!("{label} passed in {}", seconds(step_started));
    }
    println!("All in {}", seconds(started));
    println!("{} passed, 0 failed", steps.len());
    Ok(())
}

fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f64())
}
