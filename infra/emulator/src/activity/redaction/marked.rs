//! Secrets in markup: `<password>…</password>`, and the parts of `multipart/form-data`.

use std::ops::Range;

use super::names::{self, Leaf};

/// The maximum bytes of a name.
const NAME_BYTES_MAX: usize = 100;

/// The maximum bytes of an element's attributes, or of the headers of a part.
const HEAD_BYTES_MAX: usize = 1_000;

/// The beginning of the parameters of a part.
const PART: &str = "form-data;";

/// The places of secret values in a text.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    elements(text, &mut found);
    parts(text, &mut found);
    found
}

/// The contents of elements. Their end has the same name: `<token>` alone is a placeholder.
fn elements(text: &str, found: &mut Vec<Range<usize>>) {
    let is_of_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | ':' | '.');
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|offset| at + offset + 1) {
        at = start;
        let head = &text[start..text.floor_char_boundary(start + NAME_BYTES_MAX)];
        let Some(length) = head.find(|it| !is_of_name(it)) else { continue };
        let name = &head[..length];
        if !is_secret(name.rsplit(':').next().unwrap_or_default()) {
            continue;
        }
        let after = start + length;
        let attributes = &text[after..text.floor_char_boundary(after + HEAD_BYTES_MAX)];
        let Some(begin) = attributes.find('>').map(|offset| after + offset + 1) else { continue };
        let Some(end) = text[begin..].find('<').map(|offset| begin + offset) else { return };
        at = end;
        let is_closed = text[end..].strip_prefix("</").is_some_and(|rest| rest.starts_with(name));
        if is_closed && hides(name, &text[begin..end]) {
            found.push(begin..end);
        }
    }
}

/// The contents of the parts of a form.
fn parts(text: &str, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(start) = text[at..].find(PART).map(|offset| at + offset + PART.len()) {
        at = start;
        let name = part_name(&text[start..text.floor_char_boundary(start + NAME_BYTES_MAX)]);
        let head = &text[start..text.floor_char_boundary(start + HEAD_BYTES_MAX)];
        if !is_secret(name) {
            continue;
        }
        // The headers end with an empty line, and the part with a line that begins with dashes.
        let empty = ["\r\n\r\n", "\n\n"].into_iter();
        let Some(begin) = empty.filter_map(|it| Some(start + head.find(it)? + it.len())).min()
        else {
            continue;
        };
        let end = text[begin..].find("\n--").map_or(text.len(), |offset| begin + offset);
        at = end;
        if hides(name, &text[begin..end]) {
            found.push(begin..begin + text[begin..end].trim_end().len());
        }
    }
}

/// The name among the parameters of a part; empty if there is none. Some clients write no quotes.
fn part_name(parameters: &str) -> &str {
    let line = parameters.lines().next().unwrap_or_default();
    // `filename=` is another parameter.
    let is_whole = |&at: &usize| line[..at].is_empty() || line[..at].ends_with([' ', ';']);
    let mut begins = line.match_indices("name=").map(|(at, _)| at);
    let Some(begin) = begins.find(is_whole) else { return "" };
    let value = &line[begin + "name=".len()..];
    let (value, end) = value.strip_prefix('"').map_or((value, ';'), |quoted| (quoted, '"'));
    value.split(end).next().unwrap_or_default().trim_end()
}

fn is_secret(name: &str) -> bool {
    names::is_secret(name) && !names::is_label(name)
}

fn hides(name: &str, value: &str) -> bool {
    !value.trim().is_empty() && names::hides(name, "", Leaf::Text(value))
}
