//! `cargo xtask demo | test | build | bench`: installs what is missing, then builds, serves and checks.

mod bench;
mod build;
mod certificate;
mod command;
mod demo;
mod guard;
mod server;
mod sizes;
mod split;
mod static_files;
mod test;
mod tools;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, show, test and measure sensorllm", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the demo page and serve it
    Demo(demo::Arguments),
    /// Run every test, stopping at the first failure
    Test(test::Arguments),
    /// Build the wasm, the npm package and the demo page, and report their sizes
    Build(build::Arguments),
    /// Measure speed and size, in Chromium and natively
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Demo(arguments) => demo::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::Build(arguments) => build::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, without the backtrace that RUST_BACKTRACE would add: what failed is outside this program.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
