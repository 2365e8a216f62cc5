//! The command line `sensorllm`: reads arguments, runs a command, says what went wrong and what to do about it.

mod bench;
mod classify;
mod convert;
mod data;
mod describe;
mod embed;
mod eval;
mod generate;
mod inspect;
mod language;
mod memory;
mod metrics;
mod model_folder;
mod output;
mod progress;
mod published;
mod random;
mod reference;
mod rotation;
mod study;
mod table;
mod text_metrics;
mod train;
mod transitions;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use data::DataError;
use train::engine::{EXIT_STATUS, RunError};

/// Names the activity in recordings of a phone's motion sensors.
#[derive(Parser)]
#[command(name = "sensorllm", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Import data sets and look at them
    #[command(subcommand)]
    Data(DataCommand),
    Train(train::TrainArgs),
    Study(study::StudyArgs),
    Eval(eval::EvalArgs),
    EvalWords(eval::words::WordsArgs),
    Classify(classify::ClassifyArgs),
    Calibrate(transitions::CalibrateArgs),
    Convert(convert::ConvertArgs),
    Inspect(inspect::InspectArgs),
    Embed(embed::EmbedArgs),
    Generate(generate::GenerateArgs),
    Describe(describe::DescribeArgs),
    Bench(bench::BenchArgs),
    BenchKernels(bench::kernels::KernelsArgs),
    Random(random::RandomArgs),
}

#[derive(Subcommand)]
enum DataCommand {
    Info(data::info::InfoArgs),
    Import(data::import::ImportArgs),
    Check(data::protocol::check::CheckArgs),
}

fn main() -> ExitCode {
    memory::keep_freed();
    let outcome = match Arguments::parse().command {
        Command::Data(DataCommand::Info(args)) => data::info::run(&args),
        Command::Data(DataCommand::Import(args)) => data::import::run(&args),
        Command::Data(DataCommand::Check(args)) => data::protocol::check::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Study(args) => study::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::EvalWords(args) => eval::words::run(&args),
        Command::Classify(args) => classify::run(&args),
        Command::Calibrate(args) => transitions::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Embed(args) => embed::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Describe(args) => describe::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::BenchKernels(args) => bench::kernels::run(&args),
        Command::Random(args) => random::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", describe(&error));
            match error.downcast_ref() {
                Some(RunError::Interrupted { .. }) => ExitCode::from(EXIT_STATUS),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// What went wrong on one line and, where it is known, what to do on the next.
fn describe(error: &anyhow::Error) -> String {
    let mut parts = Vec::new();
    let mut hint = String::new();
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<sensorllm::Error>() {
            parts.push(error.message().to_owned());
            error.hint().clone_into(&mut hint);
        } else if let Some(error) = cause.downcast_ref::<DataError>() {
            parts.push(error.to_string());
            error.hint().clone_into(&mut hint);
            // Its message already contains its own cause.
            break;
        } else if let Some(error) = cause.downcast_ref::<RunError>() {
            parts.push(error.to_string());
            error.hint().clone_into(&mut hint);
        } else {
            parts.push(cause.to_string());
        }
    }
    let message = format!("error: {}", parts.join(": "));
    if hint.is_empty() { message } else { format!("{message}\nhint: {hint}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use sensorllm::ErrorKind;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn errors_say_what_and_what_to_do() {
        let error = sensorllm::Error::new(ErrorKind::Rate, "5 Hz is too slow", "record at 20 Hz or more");
        let error = anyhow::Error::from(error).context("walk.csv");
        assert_eq!(describe(&error), "error: walk.csv: 5 Hz is too slow\nhint: record at 20 Hz or more");
        assert_eq!(describe(&anyhow::anyhow!("no room")), "error: no room");
    }
}
