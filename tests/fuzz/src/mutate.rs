//! Mutations of JSON documents, so that an input stays one: libFuzzer changes its parts.

use serde_json::{Map, Value as Json, json};
use simulation::random::{Random, Seeded};

/// Mutates the first bytes of a buffer, and returns how many are used then.
pub type Raw<'a> = &'a mut dyn FnMut(&mut [u8], usize, usize) -> usize;

/// The longest text that is changed as bytes.
const TEXT_MAX: usize = 4096;

/// Leaves the mutation to libFuzzer.
pub fn bytes(data: &mut [u8], size: usize, max: usize, _seed: u32, raw: Raw<'_>) -> usize {
    raw(data, size, max)
}

/// Mutates a JSON document, or the JSON after a first line with a name.
pub fn json(data: &mut [u8], size: usize, max: usize, seed: u32, raw: Raw<'_>) -> usize {
    let mut random = Seeded::new(seed.into());
    let input = &data[..size];
    let begin = match input.first() {
        Some(b'{' | b'[') | None => 0,
        Some(_) => input.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1),
    };
    let parsed = serde_json::from_slice::<Json>(&input[begin..]);
    let Ok(mut document) = parsed else { return raw(data, size, max) };
    if random.below(16) == 0 {
        return raw(data, size, max);
    }
    for _ in 0..=random.below(3) {
        change(&mut document, &mut random, raw);
    }
    let text = document.to_string();
    if begin + text.len() > max {
        return raw(data, size, max);
    }
    data[begin..begin + text.len()].copy_from_slice(text.as_bytes());
    begin + text.len()
}

/// Changes one node of a document.
fn change(document: &mut Json, random: &mut Seeded, raw: Raw<'_>) {
    let other = node(document, random).clone();
    let node = node(document, random);
    match random.below(8) {
        0 => *node = special(random),
        1 => *node = other,
        2 | 3 => match node {
            Json::Object(members) => change_members(members, other, random),
            Json::Array(elements) => change_elements(elements, other, random),
            Json::String(text) => change_text(text, random, raw),
            _ => *node = special(random),
        },
        _ => match node {
            Json::String(text) => change_text(text, random, raw),
            Json::Number(number) => {
                let near = number.as_i64().unwrap_or_default();
                let step = i64::try_from(random.below(5)).unwrap_or_default() - 2;
                *node = json!(near.saturating_add(step));
            }
            Json::Bool(value) => *value = !*value,
            Json::Null | Json::Object(_) | Json::Array(_) => {
                if random.below(4) == 0 {
                    *node = special(random);
                }
            }
        },
    }
}

/// A node of the document, each with the same chance.
fn node<'a>(document: &'a mut Json, random: &mut Seeded) -> &'a mut Json {
    let mut left = random.index(count(document));
    find(document, &mut left).expect("it is counted")
}

fn count(node: &Json) -> usize {
    1 + match node {
        Json::Object(members) => members.values().map(count).sum(),
        Json::Array(elements) => elements.iter().map(count).sum(),
        _ => 0,
    }
}

fn find<'a>(node: &'a mut Json, left: &mut usize) -> Option<&'a mut Json> {
    if *left == 0 {
        return Some(node);
    }
    *left -= 1;
    match node {
        Json::Object(members) => members.values_mut().find_map(|it| find(it, left)),
        Json::Array(elements) => elements.iter_mut().find_map(|it| find(it, left)),
        _ => None,
    }
}

fn change_members(members: &mut Map<String, Json>, other: Json, random: &mut Seeded) {
    let name = members.keys().nth(random.index(members.len())).cloned().unwrap_or_default();
    match random.below(4) {
        0 => _ = members.remove(&name),
        1 => _ = members.insert(name, other),
        2 => {
            let value = members.remove(&name).unwrap_or_default();
            members.insert(special_text(random), value);
        }
        _ => _ = members.insert(special_text(random), other),
    }
}

fn change_elements(elements: &mut Vec<Json>, other: Json, random: &mut Seeded) {
    let at = random.index(elements.len());
    match random.below(4) {
        0 if !elements.is_empty() => _ = elements.remove(at),
        1 if !elements.is_empty() => elements[at] = other,
        2 if !elements.is_empty() && elements.len() < 64 => {
            let copies = 1 + random.index(8);
            elements.extend(vec![elements[at].clone(); copies]);
        }
        _ => elements.push(other),
    }
}

/// Changes a text: as JSON if it is some, such as a body, or else its bytes.
fn change_text(text: &mut String, random: &mut Seeded, raw: Raw<'_>) {
    if text.starts_with(['{', '['])
        && random.below(8) != 0
        && let Ok(mut inner) = serde_json::from_str::<Json>(text)
    {
        for _ in 0..=random.below(2) {
            change(&mut inner, random, raw);
        }
        *text = inner.to_string();
        return;
    }
    if random.below(8) == 0 {
        *text = special_text(random);
        return;
    }
    let mut bytes = text.as_bytes().to_vec();
    let size = bytes.len().min(TEXT_MAX);
    bytes.truncate(size);
    bytes.resize(size + 32, 0);
    let size = raw(&mut bytes, size, size + 32);
    bytes.truncate(size);
    *text = String::from_utf8_lossy(&bytes).into_owned();
}

fn special(random: &mut Seeded) -> Json {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(0.5),
        json!(1e308),
        json!(-0.0),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(u32::MAX),
        json!(9_007_199_254_740_993_u64),
        json!(253_402_300_800_000_i64),
        json!([]),
        json!({}),
        json!([null]),
        json!({ "": "" }),
        json!({ "S": "" }),
        json!({ "N": "1e125" }),
        json!({ "N": "-0.000000000000000000000000000000000000001" }),
        json!({ "NULL": true }),
        json!({ "M": {} }),
        json!({ "L": [] }),
        json!({ "B": "AAA=" }),
        json!({ "SS": ["a"] }),
        json!({ "BOOL": false }),
    ];
    match random.index(values.len() + 8) {
        index if index < values.len() => values[index].clone(),
        _ => json!(special_text(random)),
    }
}

fn special_text(random: &mut Seeded) -> String {
    const TEXTS: [&str; 30] = [
        "",
        " ",
        "0",
        "-1",
        "1e999",
        "null",
        "true",
        "\u{0}",
        "\u{7f}",
        "\u{feff}",
        "\u{202e}x",
        "\u{1F980}",
        "e\u{301}",
        "\u{212b}",
        "a\u{0300}\u{0301}\u{0302}",
        "%00",
        "%",
        "..%2f",
        "\r\n",
        "\"",
        "\\u0000",
        "00000000-0000-0000-0000-000000000000",
        "0000-00-00T00:00:00.000Z",
        "9999-12-31T23:59:59.999Z",
        "2024-02-30T24:60:61Z",
        "pk",
        "*",
        "W/\"1\"",
        "{\"a\":1,\"a\":2}",
        "__proto__",
    ];
    match random.index(TEXTS.len() + 2) {
        0 => "a".repeat(1 + random.index(3000)),
        1 => "\u{10ffff}".repeat(1 + random.index(300)),
        index => TEXTS[index - 2].to_owned(),
    }
}
