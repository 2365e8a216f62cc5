//! Compiles `sensorllm-web` to `pkg/wasm`: cargo, wasm-bindgen, wasm-opt for the wasm that ships, and in two parts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::command::{cargo, command, node_program, root, run, target_folder};
use crate::{split, tools};

/// How much time goes into making the wasm small and fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Built in minutes, for tests and for looking at the page: no whole-program optimisation, no wasm-opt
    Quick,
    /// What ships
    Release,
}

/// What wasm-opt optimises for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Optimise {
    /// wasm-opt removes what is unused and leaves code as LLVM ordered it
    Speed,
    /// wasm-opt -Oz
    Size,
}

/// The WebAssembly features that rustc uses in this project and every supported browser has. Not `--all-features`,
/// which would let wasm-opt emit instructions that browsers lack.
const WASM_FEATURES: [&str; 7] = [
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// What wasm-opt does for speed. Not -O3 or -O2: they reorder what LLVM has scheduled, and browsers then compute products of
/// quantised weights at half the speed; after brotli their result is larger, too.
const TIDYING: [&str; 9] = [
    "--strip-debug",
    "--dce",
    "--remove-unused-brs",
    "--remove-unused-names",
    "--merge-blocks",
    "--vacuum",
    "--duplicate-function-elimination",
    "--remove-unused-module-elements",
    "--memory-packing",
];

/// The wasm file that wasm-bindgen leaves in `pkg/wasm`; once it is parted, what a label on the CPU needs.
pub fn file() -> PathBuf {
    folder().join("sensorllm_bg.wasm")
}

/// The rest of the program: words and WebGPU.
pub fn words_file() -> PathBuf {
    folder().join("sensorllm_words.wasm")
}

/// The script that computes labels to see which functions they need.
fn labels() -> PathBuf {
    root().join("xtask").join("src").join("split").join("labels.mjs")
}

fn folder() -> PathBuf {
    root().join("pkg").join("wasm")
}

/// Brings `pkg/wasm` up to date; does nothing beyond asking cargo if nothing changed.
pub fn build(profile: Profile, optimise: Optimise) -> Result<()> {
    tools::wasm_target()?;
    let bindgen = tools::wasm_bindgen()?;
    let cargo_profile = match profile {
        Profile::Quick => "wasm-test",
        Profile::Release => "wasm-release",
    };
    let arguments =
        ["build", "-p", "sensorllm-web", "--target", tools::WASM_TARGET, "--profile", cargo_profile];
    let mut cargo = cargo(&arguments);
    if profile == Profile::Release {
        cargo.arg("--config").arg(format!("target.{}.rustflags={:?}", tools::WASM_TARGET, without_paths()?));
    }
    run(&mut cargo)?;
    let compiled = target_folder().join(tools::WASM_TARGET).join(cargo_profile).join("sensorllm_web.wasm");

    let settings = format!("{profile:?} {optimise:?} {WASM_FEATURES:?} {TIDYING:?} {}", bindgen.display());
    // Both ends, so that a wasm which somebody else left in `pkg/wasm` is not taken for this one.
    let stamp = || {
        let parting = [std::env::current_exe()?, labels()];
        let files = [&compiled, &parting[0], &parting[1], &file(), &words_file()];
        let stamps: Vec<String> = files.into_iter().map(|file| stamp(file)).collect::<Result<_>>()?;
        Ok::<_, anyhow::Error>(format!("{settings}\n{}", stamps.join("\n")))
    };
    let stamp_file = target_folder().join("xtask-wasm.stamp");
    if stamp().is_ok_and(|now| fs::read_to_string(&stamp_file).is_ok_and(|written| written == now)) {
        return Ok(());
    }
    // Removed first, so that an interrupted run is not taken for a finished one.
    fs::remove_file(&stamp_file).or_else(ignore_missing)?;
    run(command(&bindgen, &["--target", "web", "--out-name", "sensorllm", "--out-dir"])
        .arg(folder())
        .arg(&compiled))?;
    if profile == Profile::Release {
        tools::npm_packages()?;
        let passes = match optimise {
            Optimise::Speed => &TIDYING[..],
            Optimise::Size => &["-Oz"],
        };
        run(node_program("wasm-opt", passes).args(WASM_FEATURES).arg(file()).arg("-o").arg(file()))?;
    }
    part()?;
    // Tells the package's build whether the limits on what ships apply.
    let name = profile.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    fs::write(folder().join("profile"), name).context("could not write pkg/wasm/profile")?;
    fs::write(&stamp_file, stamp()?).with_context(|| format!("could not write {}", stamp_file.display()))
}

/// Parts the program in two files: what a label on the CPU needs, which is found by computing some, and the rest.
fn part() -> Result<()> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("could not read {}", path.display()));
    let write = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).with_context(|| format!("could not write {}", path.display()))
    };
    for (file, more) in [("sensorllm.js", GLUE), ("sensorllm.d.ts", GLUE_TYPES)] {
        let path = folder().join(file);
        let mut text = read(&path)?;
        text.extend_from_slice(more.as_bytes());
        write(&path, &text)?;
    }
    let program = read(&file())?;
    let traced = target_folder().join("xtask-traced.wasm");
    write(&traced, &split::traced(&program)?)?;
    let mut node = command("node", &[]);
    node.arg(labels())
        .arg(folder().join("sensorllm.js"))
        .arg(&traced)
        .arg(root().join("models").join("default"));
    let output = node.stderr(Stdio::inherit()).output().context("could not run node")?;
    ensure!(output.status.success(), "the program could not be run to see which functions a label needs");
    let entered = String::from_utf8(output.stdout)?;
    let entered: BTreeSet<u32> = entered
        .split_ascii_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .context("functions have numbers")?;
    let parts = split::split(&program, &entered)?;
    write(&file(), &parts.first)?;
    write(&words_file(), &parts.second)
}

/// What the package needs of wasm-bindgen's glue to put a program of two files together.
const GLUE: &str = "
export function programImports() { return __wbg_get_imports(); }
export function useProgram(instance, module) { return __wbg_finalize_init(instance, module); }
";
const GLUE_TYPES: &str = "
/** What the program imports from JavaScript. */
export function programImports(): WebAssembly.Imports;
/** Makes an instance the one that all classes use. */
export function useProgram(instance: WebAssembly.Instance, module: WebAssembly.Module): void;
";

/// Flags for rustc that shorten the source paths in messages of panics to what comes after the folders of this machine: they would
/// ship otherwise. Cargo adds them to those in its configuration.
fn without_paths() -> Result<Vec<String>> {
    let home = std::env::home_dir().context("there is no home folder")?;
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let mut folders = vec![root().to_owned()];
    // One folder for each registry that sources came from.
    if let Ok(registries) = fs::read_dir(cargo_home.join("registry").join("src")) {
        folders.extend(registries.flatten().map(|registry| registry.path()));
    }
    Ok(folders.iter().map(|folder| format!("--remap-path-prefix={}=", folder.display())).collect())
}

/// A text that changes whenever a file is written.
fn stamp(file: &Path) -> Result<String> {
    let metadata = fs::metadata(file).with_context(|| format!("there is no {}", file.display()))?;
    let written = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(format!("{} {}", metadata.len(), written.as_nanos()))
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamp_follows_the_file() {
        let file = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        fs::write(&file, "one").unwrap();
        let first = stamp(&file).unwrap();
        assert_eq!(first, stamp(&file).unwrap());
        fs::write(&file, "three").unwrap();
        assert_ne!(first, stamp(&file).unwrap());
        fs::remove_file(&file).unwrap();
        assert!(stamp(&file).is_err());
    }
}
