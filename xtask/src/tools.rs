//! Installs what a task needs and the machine lacks; says what it does before it does it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{cargo, command, find_in_path, npm, probe, root, run, target_folder};

/// The compilation target of everything that runs in the browser.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Major and minor version of the oldest Node that the build tools of the page run on.
const NODE_MINIMUM: (u32, u32) = (20, 19);

/// The wasm32 standard library.
pub fn wasm_target() -> Result<()> {
    rustup(&["target", "list", "--installed"], &["target", "add", WASM_TARGET], WASM_TARGET)
}

/// A component of the Rust toolchain, such as `clippy`.
pub fn rust_component(name: &str) -> Result<()> {
    rustup(&["component", "list", "--installed"], &["component", "add", name], name)
}

/// Runs `rustup add` unless a line of `rustup list` starts with `name`.
fn rustup(list: &[&str], add: &[&str], name: &str) -> Result<()> {
    let Some(installed) = probe(&mut command("rustup", list)) else {
        // Rust from a distribution: nothing to install with, and Cargo's own message says what is missing.
        return Ok(());
    };
    if installed.lines().any(|line| line.starts_with(name)) {
        return Ok(());
    }
    announce(&format!("Rust's {name}"));
    run(&mut command("rustup", add))
}

/// The `wasm-bindgen` program in exactly the version of the library in `Cargo.lock`: any other refuses the wasm.
pub fn wasm_bindgen() -> Result<PathBuf> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("could not read Cargo.lock")?;
    let version = locked_version(&lock, "wasm-bindgen").context("Cargo.lock has no wasm-bindgen")?;
    let folder = target_folder().join("tools");
    let own = folder.join("bin").join(if cfg!(windows) { "wasm-bindgen.exe" } else { "wasm-bindgen" });
    let mut places = vec![own.clone()];
    places.extend(find_in_path(&["wasm-bindgen"]));
    let right = |place: &PathBuf| {
        probe(&mut command(place, &["--version"]))
            .is_some_and(|text| text.trim() == format!("wasm-bindgen {version}"))
    };
    if let Some(place) = places.into_iter().find(right) {
        return Ok(place);
    }
    announce(&format!("wasm-bindgen {version} into {} (a few minutes)", shown(&folder)));
    // Without `--locked`: a version in its lock file that was yanked later must not stop the build.
    let arguments = ["install", "--force", "--version", version, "wasm-bindgen-cli", "--root"];
    run(cargo(&arguments).arg(&folder)).context("wasm-bindgen could not be installed")?;
    Ok(own)
}

/// The version that `Cargo.lock` has for a package.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// Node in a version that is new enough; it is not installed from here.
pub fn node() -> Result<()> {
    let (major, minor) = NODE_MINIMUM;
    let version = probe(&mut command("node", &["--version"])).unwrap_or_default();
    match node_version(&version) {
        Some(found) if found >= NODE_MINIMUM => Ok(()),
        Some(_) => {
            bail!("Node {} is too old: install {major}.{minor} or newer (https://nodejs.org)", version.trim())
        }
        None => bail!("Node is missing: install {major}.{minor} or newer (https://nodejs.org)"),
    }
}

/// The npm packages of all workspaces, as `package-lock.json` has them.
pub fn npm_packages() -> Result<()> {
    node()?;
    let lock = root().join("package-lock.json");
    // npm writes this file last, so it tells whether an installation is complete and newer than the lock file.
    let installed = root().join("node_modules").join(".package-lock.json");
    if is_newer(&installed, &lock) {
        return Ok(());
    }
    announce("npm packages");
    run(&mut npm(&["ci", "--no-audit", "--no-fund"]))
}

/// Major and minor of `v20.19.2`.
fn node_version(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Whether `file` exists and was written no earlier than `other`; false if either is missing.
fn is_newer(file: &Path, other: &Path) -> bool {
    let written = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    matches!((written(file), written(other)), (Ok(file), Ok(other)) if file >= other)
}

/// Chromium, for the browser tests: `$CHROMIUM`, else a Chromium or Chrome of this machine, else Debian's package.
pub fn chromium() -> Result<PathBuf> {
    CHROMIUM.program()
}

/// Firefox, for its own tests: `$FIREFOX`, else a Firefox of this machine, else Debian's package.
pub fn firefox() -> Result<PathBuf> {
    FIREFOX.program()
}

/// A browser of this machine, and where to have it from.
struct BrowserProgram {
    name: &'static str,
    /// Environment variable that names its program.
    variable: &'static str,
    /// What to install where there is none.
    help: &'static str,
    /// Names of its program in the search path.
    commands: &'static [&'static str],
    /// Its program on macOS and Windows.
    applications: &'static [&'static str],
    /// Debian's packages.
    packages: &'static [&'static str],
}

const CHROMIUM: BrowserProgram = BrowserProgram {
    name: "Chromium",
    variable: "CHROMIUM",
    help: "install Chromium or Chrome",
    commands: &["chromium", "google-chrome", "google-chrome-stable", "chrome", "chromium-browser"],
    applications: &[
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    ],
    packages: &["chromium", "mesa-vulkan-drivers"],
};

const FIREFOX: BrowserProgram = BrowserProgram {
    name: "Firefox",
    variable: "FIREFOX",
    help: "install Firefox",
    commands: &["firefox-esr", "firefox"],
    applications: &[
        "/Applications/Firefox.app/Contents/MacOS/firefox",
        "C:\\Program Files\\Mozilla Firefox\\firefox.exe",
    ],
    packages: &["firefox-esr"],
};

impl BrowserProgram {
    fn program(&self) -> Result<PathBuf> {
        if let Some(file) = env::var_os(self.variable).map(PathBuf::from) {
            if !file.is_file() {
                bail!("{} is set to {}, which is not a file", self.variable, file.display());
            }
            return Ok(file);
        }
        if let Some(file) = self.find() {
            return Ok(file);
        }
        let help =
            format!("{} is missing: {}, or set {} to its program", self.name, self.help, self.variable);
        if !can_use_apt() {
            bail!("{help} (Debian: apt-get install {}, as root)", self.packages.join(" "));
        }
        apt_install(self.packages)?;
        self.find().context(help)
    }

    fn find(&self) -> Option<PathBuf> {
        let installed = || self.applications.iter().map(PathBuf::from).find(|file| file.is_file());
        find_in_path(self.commands).or_else(installed)
    }
}

/// A Vulkan driver for native WebGPU tests on Linux: the machine's, else Mesa's, which also computes on the CPU.
/// macOS and Windows bring Metal and DirectX.
pub fn vulkan_driver() -> Result<()> {
    if !cfg!(target_os = "linux") || has_vulkan_driver(&["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"]) {
        return Ok(());
    }
    if !can_use_apt() {
        bail!("no Vulkan driver: install one (Debian: apt-get install mesa-vulkan-drivers, as root)");
    }
    apt_install(&["mesa-vulkan-drivers"])
}

/// Whether any of the folders holds a driver's manifest.
fn has_vulkan_driver(folders: &[&str]) -> bool {
    let mut files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    env::var_os("VK_DRIVER_FILES").is_some()
        || files.any(|file| file.path().extension() == Some("json".as_ref()))
}

/// Whether this is a Debian-like system and packages may be installed without asking for a password.
fn can_use_apt() -> bool {
    find_in_path(&["apt-get"]).is_some()
        && probe(&mut command("id", &["-u"])).is_some_and(|user| user.trim() == "0")
}

fn apt_install(packages: &[&str]) -> Result<()> {
    announce(&packages.join(" and "));
    let apt = |arguments: &[&str]| {
        let mut command = command("apt-get", arguments);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run(&mut apt(&["update", "--quiet"]))?;
    run(apt(&["install", "--quiet", "--yes"]).args(packages))
}

fn announce(what: &str) {
    eprintln!("Installing {what}");
}

/// A path as it looks from the workspace's root.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_version_belongs_to_the_package_of_exactly_that_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "bindgen"), None);
    }

    #[test]
    fn node_version_is_read() {
        assert_eq!(node_version("v20.19.2\n"), Some((20, 19)));
        assert_eq!(node_version(""), None);
        assert!(node_version("v9.20.0") < Some(NODE_MINIMUM));
    }

    #[test]
    fn a_missing_file_is_never_up_to_date() {
        let there = root().join("Cargo.toml");
        assert!(is_newer(&there, &there));
        assert!(!is_newer(Path::new("no such file"), &there));
        assert!(!is_newer(&there, Path::new("no such file")));
    }
}
