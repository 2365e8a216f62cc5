//! What a visitor downloads, raw and compressed, and the limits on it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::command::{command, root};
use crate::wasm::{self, Profile};

/// The most bytes the wasm may have after brotli: 2.2 MB, a few seconds on a mobile connection. A quarter of it reads and writes text
/// (tokenizers, chat templates).
const WASM_BROTLI_LIMIT: u64 = 2_200_000;

/// The most bytes the model folder may have as it lies on disk: 8 MB.
const MODEL_LIMIT: u64 = 8_000_000;

/// The size of one part of the download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// What is measured, as shown in the report.
    pub name: &'static str,
    /// Bytes on disk.
    pub raw: u64,
    /// Bytes after brotli at quality 11, each file by itself; not measured for quick builds, which nobody ships.
    pub brotli: Option<u64>,
}

/// Measures what `build` made.
pub fn measure(profile: Profile) -> Result<Vec<Size>> {
    let (package, page) = (root().join("pkg"), root().join("www").join("dist"));
    let scripts = |folder: &Path, extensions: &[&str]| -> Result<Vec<PathBuf>> {
        let mut files = files_below(folder)?;
        files.retain(|file| file.extension().is_some_and(|found| extensions.iter().any(|one| found == *one)));
        Ok(files)
    };
    let parts = [
        ("wasm", vec![wasm::file(), wasm::words_file()]),
        ("package JS", scripts(&package.join("dist"), &["js", "mjs"])?),
        ("page JS, CSS, HTML", scripts(&page, &["js", "mjs", "css", "html"])?),
        ("model", files_below(&package.join("model"))?),
    ];
    let paths: Vec<&PathBuf> = parts.iter().flat_map(|(_, files)| files).collect();
    let mut sizes = match profile {
        Profile::Release => compressed(&paths)?,
        Profile::Quick => {
            paths.iter().map(|path| Ok((fs::metadata(path)?.len(), None))).collect::<Result<_>>()?
        }
    }
    .into_iter();
    let mut report = Vec::new();
    for (name, files) in &parts {
        let mut total = Size { name, raw: 0, brotli: (profile == Profile::Release).then_some(0) };
        for (raw, brotli) in sizes.by_ref().take(files.len()) {
            total.raw += raw;
            total.brotli = total.brotli.zip(brotli).map(|(sum, bytes)| sum + bytes);
        }
        report.push(total);
    }
    Ok(report)
}

/// Fails if a part is over its limit.
pub fn check(report: &[Size]) -> Result<()> {
    for size in report {
        let (bytes, limit, how) = match (size.name, size.brotli) {
            ("wasm", Some(brotli)) => (brotli, WASM_BROTLI_LIMIT, " after brotli"),
            ("model", _) => (size.raw, MODEL_LIMIT, ""),
            _ => continue,
        };
        if bytes > limit {
            bail!("the {} has {bytes} bytes{how}; the limit is {limit}", size.name);
        }
    }
    Ok(())
}

/// The report as a table in megabytes (10^6 bytes).
pub fn table(report: &[Size]) -> String {
    let megabytes = |bytes: u64| format!("{:.3} MB", bytes as f64 / 1e6);
    let mut text = format!("{:<20} {:>10} {:>10}\n", "", "raw", "brotli");
    for size in report {
        let brotli = size.brotli.map_or("-".to_owned(), megabytes);
        let _ = writeln!(text, "{:<20} {:>10} {:>10}", size.name, megabytes(size.raw), brotli);
    }
    text
}

/// Raw and compressed bytes of each file, by Node's brotli: Node is here anyway, another compressor is not.
fn compressed(paths: &[&PathBuf]) -> Result<Vec<(u64, Option<u64>)>> {
    let mut node = command("node", &["xtask/src/brotli.mjs"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start node")?;
    let mut list = String::new();
    for path in paths {
        let _ = writeln!(list, "{}", path.display());
    }
    // Taken and dropped, which ends the list.
    node.stdin.take().context("node has no standard input")?.write_all(list.as_bytes())?;
    let output = node.wait_with_output()?;
    let lines = String::from_utf8(output.stdout)?;
    let sizes: Option<Vec<_>> = lines
        .lines()
        .map(|line| {
            let (raw, brotli) = line.split_once('\t')?;
            Some((raw.parse().ok()?, Some(brotli.parse().ok()?)))
        })
        .collect();
    match sizes {
        Some(sizes) if output.status.success() && sizes.len() == paths.len() => Ok(sizes),
        _ => bail!("xtask/src/brotli.mjs could not measure {} files", paths.len()),
    }
}

/// All files below a folder, sorted.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(name: &'static str, raw: u64, brotli: Option<u64>) -> Size {
        Size { name, raw, brotli }
    }

    #[test]
    fn limits_hold_at_the_limit_and_not_above() {
        check(&[size("wasm", 9_000_000, Some(WASM_BROTLI_LIMIT)), size("model", 8_000_000, Some(7_000_000))])
            .unwrap();
        let error = check(&[size("wasm", 9_000_000, Some(WASM_BROTLI_LIMIT + 1))]).unwrap_err().to_string();
        assert_eq!(error, "the wasm has 2200001 bytes after brotli; the limit is 2200000");
        assert!(check(&[size("model", 8_000_001, None)]).is_err());
    }

    #[test]
    fn node_measures_what_it_is_given() {
        let (first, second) = (root().join("Cargo.lock"), root().join("Cargo.toml"));
        let sizes = compressed(&[&first, &second]).unwrap();
        assert_eq!(sizes[0].0, fs::metadata(&first).unwrap().len());
        assert_eq!(sizes[1].0, fs::metadata(&second).unwrap().len());
        let brotli = sizes[0].1.unwrap();
        assert!(brotli > 0 && brotli < sizes[0].0 / 2, "text shrinks: {brotli}");
    }

    #[test]
    fn table_has_a_row_for_each_part() {
        let text = table(&[size("wasm", 5_123_456, Some(1_900_000)), size("model", 3_000_000, None)]);
        assert!(text.contains("5.123 MB   1.900 MB") && text.ends_with("3.000 MB          -\n"), "{text}");
    }
}
