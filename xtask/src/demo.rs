//! `cargo xtask demo`: builds the demo page, serves it, and opens it in the browser.

use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::certificate::{Certificate, lan_addresses};
use crate::command::{command, root, target_folder};
use crate::wasm::Profile;
use crate::{build, server};

/// Options of `demo`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Port to serve on; 0 takes any free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Address to serve on; 0.0.0.0 lets other devices on the network in
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDR")]
    host: String,
    /// Serve over TLS with a self-made certificate: a phone gives its sensors only to a secure page
    #[arg(long)]
    https: bool,
    /// Do not open the browser
    #[arg(long)]
    no_open: bool,
    /// Build the wasm that ships: a little faster in the browser, minutes slower to build
    #[arg(long)]
    release: bool,
    /// Serve this folder as it is, without building anything
    #[arg(long, value_name = "DIR", conflicts_with = "release")]
    dir: Option<PathBuf>,
}

/// Builds, serves and opens the page; runs until it is interrupted.
pub fn run(arguments: &Arguments) -> Result<()> {
    // Before the build, so that a port in use is noticed at once.
    let listener = TcpListener::bind((arguments.host.as_str(), arguments.port)).with_context(|| {
        format!(
            "cannot serve on {} port {}; choose another with --port or --host",
            arguments.host, arguments.port
        )
    })?;
    let folder = match &arguments.dir {
        Some(folder) => folder.clone(),
        None => {
            let profile = if arguments.release { Profile::Release } else { Profile::Quick };
            build::all(profile)?;
            root().join("www").join("dist")
        }
    };
    let folder = folder.canonicalize().with_context(|| format!("there is no folder {}", folder.display()))?;
    let address = listener.local_addr()?;
    let urls = urls(address.ip(), address.port(), arguments.https, &lan_addresses());
    println!("Serving {}", urls.join("\n     or "));
    let tls = if arguments.https { Some(certificate()?.server_config()?) } else { None };
    if address.ip().is_loopback() && arguments.https {
        println!("For a phone on the same network, add --host 0.0.0.0");
    } else if !address.ip().is_loopback() && !arguments.https {
        println!("On other devices the page gets no motion sensors without --https");
    }
    println!("Stop with Ctrl+C");
    if !arguments.no_open {
        open_browser(&urls[0]);
    }
    server::serve(&listener, folder, tls);
    Ok(())
}

/// The certificate for this machine's names and addresses; tells how to recognise it.
fn certificate() -> Result<Certificate> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(lan_addresses().iter().map(IpAddr::to_string));
    let certificate = Certificate::load_or_make(&target_folder().join("demo-cert"), &names)?;
    println!("The browser will warn that it does not know this certificate. Its SHA-256 fingerprint is");
    println!("  {}", certificate.fingerprint());
    Ok(certificate)
}

/// Where the page is found, first on this machine: at every address if served on all of them, else at the one.
fn urls(served: IpAddr, port: u16, https: bool, lan: &[IpAddr]) -> Vec<String> {
    let scheme = if https { "https" } else { "http" };
    let url = |host: String| format!("{scheme}://{host}:{port}/");
    let quoted = |address: &IpAddr| {
        if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
    };
    if served.is_unspecified() {
        std::iter::once("localhost".to_owned()).chain(lan.iter().map(quoted)).map(url).collect()
    } else {
        vec![url(quoted(&served))]
    }
}

/// Opens a page in the desktop's browser if there is one; the URL has been printed in any case.
fn open_browser(url: &str) {
    let (program, arguments) = if cfg!(target_os = "macos") {
        ("open", vec![url])
    } else if cfg!(windows) {
        ("cmd", vec!["/C", "start", url])
    } else {
        ("xdg-open", vec![url])
    };
    let _ =
        command(program, &arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_that_work() {
        let lan = ["192.168.1.5".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        assert_eq!(urls("127.0.0.1".parse().unwrap(), 8080, false, &lan), ["http://127.0.0.1:8080/"]);
        assert_eq!(
            urls("0.0.0.0".parse().unwrap(), 8443, true, &lan),
            ["https://localhost:8443/", "https://192.168.1.5:8443/", "https://10.0.0.2:8443/"]
        );
        assert_eq!(urls("::1".parse().unwrap(), 80, false, &lan), ["http://[::1]:80/"]);
    }
}
