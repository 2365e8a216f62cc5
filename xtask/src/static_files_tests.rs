//! Tests of `static_files`: each is a request that a browser, or somebody less friendly, sends.

use std::fs;
use std::io::Read;

use super::*;

/// A folder `site` with a few files, and a `secret` beside it.
struct Site {
    parent: PathBuf,
}

impl Site {
    fn new(test: &str) -> Self {
        let parent = std::env::temp_dir().join(format!("xtask-{test}-{}", std::process::id()));
        fs::create_dir_all(parent.join("site/assets/deep")).unwrap();
        let parent = parent.canonicalize().unwrap();
        for (name, content) in [
            ("secret", "outside"),
            ("site/index.html", "<p>hello"),
            ("site/app.js", "0123456789"),
            ("site/a b.txt", "space"),
            ("site/assets/index.html", "assets"),
            ("site/assets/model.safetensors", "weights"),
            ("site/assets/sensorllm_bg.wasm", "wasm"),
            ("site/empty.json", ""),
        ] {
            fs::write(parent.join(name), content).unwrap();
        }
        Self { parent }
    }

    fn root(&self) -> PathBuf {
        self.parent.join("site")
    }

    fn send(&self, request: &Request) -> Response {
        respond(&self.root(), request)
    }

    fn get(&self, target: &str) -> Response {
        self.send(&Request { method: "GET".into(), target: target.into(), ..Request::default() })
    }

    fn range(&self, range: &str) -> Response {
        let request = Request { range: Some(range.into()), ..get("/app.js") };
        self.send(&request)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.parent);
    }
}

fn get(target: &str) -> Request {
    Request { method: "GET".into(), target: target.into(), ..Request::default() }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
}

fn body(response: Response) -> String {
    match response.body {
        Body::Text(text) => text,
        Body::File { file, length } => {
            let mut text = String::new();
            file.take(length).read_to_string(&mut text).unwrap();
            text
        }
    }
}

#[test]
fn files_come_with_their_type() {
    let site = Site::new("types");
    for (target, kind) in [
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/assets/sensorllm_bg.wasm", "application/wasm"),
        ("/empty.json", "application/json"),
        ("/assets/model.safetensors", "application/octet-stream"),
        ("/", "text/html; charset=utf-8"),
    ] {
        let response = site.get(target);
        assert_eq!((response.status.0, header(&response, "Content-Type")), (200, Some(kind)), "{target}");
        assert_eq!(header(&response, "Cache-Control"), Some("no-cache"));
    }
    assert_eq!(body(site.get("/?device=cpu")), "<p>hello");
    assert_eq!(body(site.get("/a%20b.txt")), "space");
    assert_eq!(body(site.get("/assets/")), "assets");
}

#[test]
fn folders_redirect_to_themselves_and_nowhere_else() {
    let site = Site::new("folders");
    let response = site.get("/assets");
    assert_eq!((response.status.0, header(&response, "Location")), (308, Some("/assets/")));
    // `//assets/` would be a host named `assets`.
    assert_eq!(header(&site.get("//assets"), "Location"), Some("/assets/"));
    assert_eq!(site.get("/assets/deep/").status.0, 404, "folders are not listed");
}

#[test]
fn nothing_outside_the_folder_is_sent() {
    let site = Site::new("traversal");
    let absolute = format!("/{}", site.parent.join("secret").display());
    for target in [
        "/../secret",
        "/assets/../../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/%2e%2e%2fsecret",
        "/..\\secret",
        "/..%5csecret",
        "//../secret",
        "/assets/%2e%2e/%2e%2e/secret",
        "/app.js%00.html",
        "/%",
        "/%zz",
        "/%ff",
        "secret",
        "",
        "http://127.0.0.1/app.js",
        &absolute,
        &absolute.replace('/', "%2f"),
    ] {
        let response = site.get(target);
        assert!(matches!(response.status.0, 400 | 404), "{target}: {}", response.status.0);
        assert!(!body(response).contains("outside"), "{target}");
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_outside_are_not_followed() {
    let site = Site::new("links");
    std::os::unix::fs::symlink(site.parent.join("secret"), site.root().join("link")).unwrap();
    std::os::unix::fs::symlink(&site.parent, site.root().join("up")).unwrap();
    std::os::unix::fs::symlink(site.root().join("app.js"), site.root().join("inside.js")).unwrap();
    assert_eq!(site.get("/link").status.0, 404);
    assert_eq!(site.get("/up/secret").status.0, 404);
    assert_eq!(body(site.get("/inside.js")), "0123456789");
}

#[test]
fn missing_files_and_other_methods_are_refused() {
    let site = Site::new("refused");
    assert_eq!(site.get("/missing.js").status.0, 404);
    assert_eq!(site.get("/app.js/more").status.0, 404);
    let response = site.send(&Request { method: "POST".into(), ..get("/app.js") });
    assert_eq!((response.status.0, header(&response, "Allow")), (405, Some("GET, HEAD")));
}

#[test]
fn head_has_the_headers_of_get() {
    let site = Site::new("head");
    let (head, get) = (site.send(&Request { method: "HEAD".into(), ..get("/app.js") }), site.get("/app.js"));
    assert_eq!((head.status, &head.headers, head.body.length()), (get.status, &get.headers, 10));
}

#[test]
fn ranges_send_their_bytes_only() {
    let site = Site::new("ranges");
    for (range, content_range, content) in [
        ("bytes=0-3", "bytes 0-3/10", "0123"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=7-99999999999999999999999", "bytes 7-9/10", "789"),
        ("bytes=-2", "bytes 8-9/10", "89"),
        ("bytes=-99", "bytes 0-9/10", "0123456789"),
        ("bytes=9-9", "bytes 9-9/10", "9"),
    ] {
        let response = site.range(range);
        assert_eq!(
            (response.status.0, header(&response, "Content-Range")),
            (206, Some(content_range)),
            "{range}"
        );
        assert_eq!(response.body.length(), content.len() as u64);
        assert_eq!(body(response), content, "{range}");
    }
    for range in ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999-"] {
        let response = site.range(range);
        assert_eq!(
            (response.status.0, header(&response, "Content-Range")),
            (416, Some("bytes */10")),
            "{range}"
        );
    }
    for range in ["bytes=4-2", "bytes=0-1,4-5", "lines=0-1", "bytes=-", "bytes=a-b", "bytes=+1-2"] {
        let response = site.range(range);
        assert_eq!((response.status.0, response.body.length()), (200, 10), "{range}");
    }
    let empty = site.send(&Request { range: Some("bytes=0-0".into()), ..get("/empty.json") });
    assert_eq!(empty.status.0, 416);
}

#[test]
fn unchanged_files_are_not_sent_again() {
    let site = Site::new("unchanged");
    let tag = header(&site.get("/app.js"), "ETag").unwrap().to_owned();
    let ask = |tag: &str| site.send(&Request { if_none_match: Some(tag.into()), ..get("/app.js") });
    for condition in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let response = ask(&condition);
        assert_eq!((response.status.0, response.body.length()), (304, 0), "{condition}");
    }
    assert_eq!(ask("\"other\"").status.0, 200);

    let part = |tag: &str| {
        let range = Some("bytes=0-3".into());
        site.send(&Request { range, if_range: Some(tag.into()), ..get("/app.js") }).status.0
    };
    assert_eq!((part(&tag), part("\"other\"")), (206, 200));

    fs::write(site.root().join("app.js"), "0123456789+").unwrap();
    assert_eq!(ask(&tag).status.0, 200, "a changed file is sent");
}
