//! Training code never reaches the wasm: reads the dependency tree of `sensorllm-web` and names what must not be in it.

use anyhow::{Result, bail};

use crate::command::{cargo, output};
use crate::tools::WASM_TARGET;

/// Words that no crate in the browser's tree may carry in its name, and no Burn crate among its features: training,
/// data sets, and the compile-time heavy back-end layers that the browser does not need.
const FORBIDDEN: [&str; 6] = ["autodiff", "optim", "train", "dataset", "fusion", "clap"];

/// Forbidden only as a feature: it makes the browser benchmark every kernel on first use.
const FORBIDDEN_FEATURE: &str = "autotune";

/// Fails if the wasm's dependency tree has a forbidden crate or Burn feature.
pub fn run() -> Result<()> {
    let tree = tree("sensorllm-web", WASM_TARGET)?;
    let found = violations(&tree)?;
    if !found.is_empty() {
        bail!("the wasm depends on code that must not reach the browser:\n  {}", found.join("\n  "));
    }
    Ok(())
}

/// The crates that a package needs at run time, one `name version features` line each.
fn tree(package: &str, target: &str) -> Result<String> {
    let format = ["--edges", "normal", "--prefix", "none", "--format", "{p}\t{f}"];
    output(cargo(&["tree", "--package", package, "--target", target]).args(format))
}

/// What is forbidden in a printed tree. An error if it is not a tree of this project: an empty tree proves nothing.
fn violations(tree: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut has_burn = false;
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let Some((package, features)) = line.split_once('\t') else {
            bail!("cannot read this line of cargo tree: {line}");
        };
        let Some((name, _)) = package.split_once(' ') else {
            bail!("cannot read this package of cargo tree: {package}");
        };
        let burn = name == "burn" || name.starts_with("burn-");
        has_burn |= burn;
        if name.split(['-', '_']).any(|word| FORBIDDEN.contains(&word)) {
            found.push(format!("crate {name}"));
        }
        if burn {
            let forbidden = |feature: &&str| {
                feature
                    .split(['-', '_', '/'])
                    .any(|word| FORBIDDEN.contains(&word) || word == FORBIDDEN_FEATURE)
            };
            let features = features.split(',').filter(forbidden);
            found.extend(features.map(|feature| format!("feature {feature} of {name}")));
        }
    }
    if !has_burn {
        bail!("cargo tree shows no Burn crate, so it says nothing about the wasm");
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: &str = "sensorllm-web v0.1.0 (/somewhere)\t\nburn v0.22.1\tflex,std,wgpu\nburn-core v0.22.1\tstd\n\
                         once_cell v1.21.3\talloc,default,race,std\n";

    #[test]
    fn a_clean_tree_passes() {
        assert_eq!(violations(CLEAN).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn crates_and_features_are_named_once() {
        let tree = format!(
            "{CLEAN}burn-optim v0.22.1\tstd\nburn-optim v0.22.1\tstd\nclap_lex v1.0.0\t\n\
             burn-cubecl-fusion v0.22.1\t\nburn-core v0.22.1\tautodiff,std\nburn-wgpu v0.22.1\tautotune-checks\n"
        );
        let expected = [
            "crate burn-cubecl-fusion",
            "crate burn-optim",
            "crate clap_lex",
            "feature autodiff of burn-core",
            "feature autotune-checks of burn-wgpu",
        ];
        assert_eq!(violations(&tree).unwrap(), expected);
    }

    #[test]
    fn words_inside_other_words_are_no_violation() {
        let tree = format!("{CLEAN}constrained v1.0.0\t\nclapper v1.0.0\t\n");
        assert_eq!(violations(&tree).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_tree_that_proves_nothing_is_an_error() {
        assert!(violations("").is_err());
        assert!(violations("some-crate v1.0.0\t\n").is_err());
        assert!(violations("unexpected\n").is_err());
    }

    #[test]
    fn the_wasm_has_no_training_code() {
        run().unwrap();
    }

    /// The command line trains, so the guard must catch it; a change in cargo's output would be noticed here.
    #[test]
    fn the_command_line_would_be_caught() {
        let found = violations(&tree("sensorllm-cli", "x86_64-unknown-linux-gnu").unwrap()).unwrap();
        for expected in ["crate burn-autodiff", "crate burn-optim", "crate clap", "feature autodiff of burn"]
        {
            assert!(found.iter().any(|one| one == expected), "{expected} is not in {found:?}");
        }
    }
}
