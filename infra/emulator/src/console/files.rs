//! The files of the page, which are a part of the binary.
//!
//! A browser asks again with the entity tag each time, so that a new binary has a new page at once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::control::ControlError;

/// The Content-Security-Policy: files and responses of the page's own origin, and nothing in the
/// page itself. A mail is shown in a frame without scripts, from its own address.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; \
     object-src 'none'",
);

/// The page itself.
const INDEX: &str = "index.html";

/// A file by its path below `console/page`.
macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_bytes!(concat!("page/", $path)) as &'static [u8])),*]
    };
}

/// The page's files. A test compares them with the folder.
const FILES: [(&str, &[u8]); 72] = embedded![
    "css/detail.css",
    "css/journey.css",
    "css/parts.css",
    "css/requests.css",
    "css/views.css",
    "icon.svg",
    "index.html",
    "js/announcer.js",
    "js/api.js",
    "js/clock.js",
    "js/code.js",
    "js/dead_letters.js",
    "js/detail/actions.js",
    "js/detail/calls.js",
    "js/detail/commit.js",
    "js/detail/decisions.js",
    "js/detail/input.js",
    "js/detail/next_fault.js",
    "js/detail/outcome.js",
    "js/detail/scroll.js",
    "js/detail/stages.js",
    "js/detail/view.js",
    "js/faults.js",
    "js/format.js",
    "js/highlight.js",
    "js/icons.js",
    "js/journey/card.js",
    "js/journey/invocation.js",
    "js/journey/layout.js",
    "js/journey/steps.js",
    "js/journey/view.js",
    "js/keys.js",
    "js/live.js",
    "js/main.js",
    "js/map/layout.js",
    "js/map/view.js",
    "js/nav.js",
    "js/parts.js",
    "js/pointer.js",
    "js/requests/filter.js",
    "js/requests/list.js",
    "js/requests/rate.js",
    "js/requests/rows.js",
    "js/requests/sparkline.js",
    "js/requests/view.js",
    "js/router.js",
    "js/session.js",
    "js/store.js",
    "js/theme.js",
    "js/types.js",
    "js/views/caches.js",
    "js/views/charts.js",
    "js/views/clock.js",
    "js/views/docs.js",
    "js/views/fault_form.js",
    "js/views/faults.js",
    "js/views/invocation.js",
    "js/views/mail_frame.js",
    "js/views/mails.js",
    "js/views/message.js",
    "js/views/queues.js",
    "js/views/schedules.js",
    "js/views/standins.js",
    "js/views/tables.js",
    "style.css",
    "vendor/LICENSE-htm",
    "vendor/LICENSE-preact",
    "vendor/LICENSE-uPlot",
    "vendor/NOTICE.md",
    "vendor/htm-preact.js",
    "vendor/uPlot.css",
    "vendor/uPlot.js",
];

/// A file with its headers.
struct File {
    bytes: &'static [u8],
    media_type: &'static str,
    etag: HeaderValue,
}

/// All files by their path.
static BY_PATH: LazyLock<BTreeMap<&'static str, File>> = LazyLock::new(|| {
    let files = FILES.into_iter().map(|(path, bytes)| {
        let hash = Sha256::digest(bytes);
        let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash[..12]));
        let etag = HeaderValue::from_str(&tag).expect("characters of Base64 are valid");
        (path, File { bytes, media_type: media_type(path), etag })
    });
    files.collect()
});

/// The page, at the root.
pub(crate) fn page(headers: &HeaderMap) -> Response {
    match BY_PATH.get(INDEX) {
        Some(file) => file.response(headers),
        None => (StatusCode::NOT_FOUND, "this binary has no page").into_response(),
    }
}

/// `GET /console/{file}`
pub(super) async fn file(
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ControlError> {
    let file = BY_PATH.get(&*path).ok_or_else(|| {
        ControlError::new(StatusCode::NOT_FOUND, format!("the page has no file {path}"))
    })?;
    Ok(file.response(&headers))
}

impl File {
    fn response(&self, request: &HeaderMap) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, self.etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if self.is_known(request) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        (headers, self.bytes).into_response()
    }

    /// Whether the client has this file already.
    fn is_known(&self, request: &HeaderMap) -> bool {
        let tags = request.get_all(IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
        let mut tags = tags.flat_map(|tags| tags.split(',')).map(str::trim);
        tags.any(|tag| {
            tag == "*" || tag.trim_start_matches("W/").as_bytes() == self.etag.as_bytes()
        })
    }
}

/// The media type by the end of a file's name.
fn media_type(path: &str) -> &'static str {
    match path.rsplit('/').next().unwrap_or(path).rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/vnd.microsoft.icon",
        Some("json") => "application/json",
        Some("woff2") => "font/woff2",
        // Licences and notices.
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The paths of all files in a folder and below.
    fn files(folder: &Path, found: &mut Vec<String>, root: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // Tests of the page's modules are no part of it.
            let is_test = path.ends_with("page/tests");
            if path.is_dir() && !is_test {
                files(&path, found, root);
            } else if !is_test {
                let path = path.strip_prefix(root).unwrap();
                found.push(path.to_str().unwrap().replace('\\', "/"));
            }
        }
    }

    #[test]
    fn every_file_in_the_folder_of_the_page_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/page");
        let mut found = Vec::new();
        files(&root, &mut found, &root);
        found.sort();
        let embedded: Vec<_> = BY_PATH.keys().map(|&path| path.to_owned()).collect();
        assert_eq!(embedded, found);
    }

    #[test]
    fn the_page_names_only_files_that_are_served_and_has_nothing_inline() {
        let page = str::from_utf8(BY_PATH[INDEX].bytes).unwrap();
        let named: Vec<_> =
            page.split('"').filter_map(|text| text.strip_prefix("console/")).collect();
        assert!(!named.is_empty());
        for name in named {
            assert!(BY_PATH.contains_key(name), "{name}");
        }
        assert!(!page.contains("://") && !page.contains("<style") && !page.contains("style="));
        assert!(
            page.split("<script").skip(1).all(|script| script.contains("></script>")),
            "{page}"
        );
    }

    #[test]
    fn a_file_has_its_media_type_a_policy_and_a_tag_that_makes_it_304() {
        let answer = page(&HeaderMap::new());
        let headers = answer.headers();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(headers[CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(
            headers[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'self';")
        );

        let etag = headers[ETAG].to_str().unwrap();
        for known in [etag.to_owned(), format!("\"other\", W/{etag}"), "*".to_owned()] {
            let request = HeaderMap::from_iter([(IF_NONE_MATCH, known.parse().unwrap())]);
            assert_eq!(page(&request).status(), StatusCode::NOT_MODIFIED, "{known}");
        }
        let request = HeaderMap::from_iter([(IF_NONE_MATCH, "\"other\"".parse().unwrap())]);
        assert_eq!(page(&request).status(), StatusCode::OK);
    }
}
