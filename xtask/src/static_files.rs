//! Answers HTTP requests from the files of one folder: types, ranges, revalidation, and nothing outside the folder.
//! Pure but for reading files; the connection is `server`'s business.

use std::fs::{File, Metadata};
use std::io::{Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The parts of a request that an answer depends on.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// Path and query as sent, percent-encoded.
    pub target: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
    pub if_none_match: Option<String>,
}

/// A status, headers and what follows them.
pub struct Response {
    pub status: Status,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// Code and phrase of the status line.
pub type Status = (u16, &'static str);

/// What follows the headers. `HEAD` is answered with the same headers and `length`, without sending the body.
pub enum Body {
    Text(String),
    /// `length` bytes from the file's present position.
    File {
        file: File,
        length: u64,
    },
}

impl Body {
    /// Bytes of the body.
    pub fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

/// The answer to a request for a file below `root`, which must be a canonical path.
pub fn respond(root: &Path, request: &Request) -> Response {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        let mut response = plain((405, "Method Not Allowed"), "only GET and HEAD");
        response.headers.push(("Allow", "GET, HEAD".to_owned()));
        return response;
    }
    let path = request.target.split(['?', '#']).next().unwrap_or_default();
    let Some(relative) = relative_path(path) else {
        return plain((400, "Bad Request"), "not a path of this site");
    };
    // Resolved before the check, so that a symbolic link cannot lead out either.
    let Ok(mut file) = root.join(&relative).canonicalize() else {
        return not_found();
    };
    if file.is_dir() {
        if !path.ends_with('/') {
            let mut response = plain((308, "Permanent Redirect"), "");
            response.headers.push(("Location", format!("/{}/", path.trim_start_matches('/'))));
            return response;
        }
        match file.join("index.html").canonicalize() {
            Ok(index) => file = index,
            Err(_) => return not_found(),
        }
    }
    if !file.starts_with(root) {
        return not_found();
    }
    match File::open(&file).and_then(|opened| Ok((opened.metadata()?, opened))) {
        Ok((metadata, opened)) if metadata.is_file() => send(&file, &metadata, opened, request),
        _ => not_found(),
    }
}

/// A file, a part of it, or the news that the browser has it already.
fn send(path: &Path, metadata: &Metadata, mut file: File, request: &Request) -> Response {
    let size = metadata.len();
    let tag = entity_tag(metadata);
    let mut headers = vec![
        // Always asked again, so that a rebuilt page is seen at the next load; the tag makes asking cheap.
        ("Cache-Control", "no-cache".to_owned()),
        ("ETag", tag.clone()),
    ];
    let has = |tags: &String| {
        tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*")
    };
    if request.if_none_match.as_ref().is_some_and(has) {
        return Response { status: (304, "Not Modified"), headers, body: Body::Text(String::new()) };
    }
    headers.push(("Accept-Ranges", "bytes".to_owned()));
    let unchanged = request.if_range.as_ref().is_none_or(|condition| *condition == tag);
    let range = request
        .range
        .as_deref()
        .filter(|_| unchanged)
        .map_or(Range::Whole, |range| Range::parse(range, size));
    let (status, start, length) = match range {
        Range::Whole => ((200, "OK"), 0, size),
        Range::Part { first, last } => {
            headers.push(("Content-Range", format!("bytes {first}-{last}/{size}")));
            ((206, "Partial Content"), first, last - first + 1)
        }
        Range::Unsatisfiable => {
            let mut response = plain((416, "Range Not Satisfiable"), "the file is shorter");
            response.headers.push(("Content-Range", format!("bytes */{size}")));
            return response;
        }
    };
    if file.seek(SeekFrom::Start(start)).is_err() {
        return not_found();
    }
    headers.push(("Content-Type", content_type(path).to_owned()));
    // Types are as above, never guessed: a model that looks like text stays a model.
    headers.push(("X-Content-Type-Options", "nosniff".to_owned()));
    Response { status, headers, body: Body::File { file, length } }
}

/// A strong validator: changes whenever the file is written.
fn entity_tag(metadata: &Metadata) -> String {
    let written =
        metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("\"{:x}-{:x}\"", metadata.len(), written.as_nanos())
}

fn not_found() -> Response {
    plain((404, "Not Found"), "there is no such file")
}

/// A short text as an answer.
pub fn plain(status: Status, text: &str) -> Response {
    let headers = vec![("Content-Type", "text/plain; charset=utf-8".to_owned())];
    Response { status, headers, body: Body::Text(text.to_owned()) }
}

/// The file path that a URL path names; nothing for one that is malformed or climbs out of the folder.
fn relative_path(url_path: &str) -> Option<PathBuf> {
    let decoded = percent_decode(url_path.strip_prefix('/')?)?;
    // A backslash and a colon separate or root paths on Windows.
    if decoded.contains(['\0', '\\', ':']) {
        return None;
    }
    let path = PathBuf::from(decoded.trim_start_matches('/'));
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    path.components().all(inside).then_some(path)
}

/// Replaces each `%` and two hexadecimal digits by the byte they stand for.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || (rest.next()? as char).to_digit(16);
        bytes.push(if byte == b'%' { u8::try_from(digit()? * 16 + digit()?).ok()? } else { byte });
    }
    String::from_utf8(bytes).ok()
}

/// What a `Range` header asks of a file.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    /// Both ends inclusive.
    Part {
        first: u64,
        last: u64,
    },
    Unsatisfiable,
}

impl Range {
    /// One range in bytes is honoured. Several, another unit or nonsense are answered with the whole file, as HTTP allows.
    fn parse(header: &str, size: u64) -> Self {
        let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
        else {
            return Self::Whole;
        };
        let (first, last) = (first.trim(), last.trim());
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(first) || !digits(last) || (first.is_empty() && last.is_empty()) {
            return Self::Whole;
        }
        // Only digits are left, so a number that does not parse is one too large for any file.
        let number = |text: &str| text.parse().unwrap_or(u64::MAX);
        let (first, last) = match (first, last) {
            ("", suffix) => (size.saturating_sub(number(suffix)), if suffix == "0" { 0 } else { size }),
            (first, "") => (number(first), size),
            (first, last) if number(first) > number(last) => return Self::Whole,
            (first, last) => (number(first), number(last).saturating_add(1).min(size)),
        };
        if first < last { Self::Part { first, last: last - 1 } } else { Self::Unsatisfiable }
    }
}

/// The media type by extension. Browsers compile wasm while it streams only with its own type.
fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("wasm") => "application/wasm",
        Some("csv") => "text/csv; charset=utf-8",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        // Weights (`.safetensors`) among others.
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
#[path = "static_files_tests.rs"]
mod tests;
