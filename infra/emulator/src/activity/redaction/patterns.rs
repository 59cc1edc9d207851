//! Forms of secrets in any text: JWTs, `Bearer …`, hashes of passwords, PEM blocks, and tokens in
//! links. Each search reads any text at most a few times.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The algorithms of password hashes, as they begin.
const HASHES: [&str; 10] =
    ["$argon2", "$2a$", "$2b$", "$2x$", "$2y$", "$scrypt$", "$pbkdf2", "$5$", "$6$", "$7$"];

/// The characters of a link's end.
const LINK_ENDS: [char; 9] = ['"', '\'', '<', '>', '\\', ')', ']', '}', '`'];

/// The shortest text that counts as random.
const RANDOM_MIN: usize = 20;

/// The shortest random text that counts as a token at any place of a path or a query.
const TOKEN_MIN: usize = 32;

/// The places of secrets in a text.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    tokens(text, &mut found);
    schemes(text, &mut found);
    hashes(text, &mut found);
    pem_blocks(text, &mut found);
    links(text, &mut found);
    found
}

/// Whether a text looks random, like a token, and not like a word, a slug or a UUID.
pub(super) fn is_random(text: &str) -> bool {
    let is_of_token =
        |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.' | b'~' | b'=');
    if text.len() < RANDOM_MIN
        || text.len() > 4_096
        || !text.bytes().all(is_of_token)
        || is_uuid(text)
    {
        return false;
    }
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    let has_digits = has(u8::is_ascii_digit);
    let has_letters = has(u8::is_ascii_alphabetic);
    let mut runs = text.split(|it: char| !it.is_ascii_alphanumeric());
    let is_mixed = |run: &str| {
        run.bytes().any(|it| it.is_ascii_digit()) && run.bytes().any(|it| it.is_ascii_alphabetic())
    };
    if runs.any(|run| run.len() >= 16 && is_mixed(run)) {
        return true;
    }
    // Short runs between separators: the class of characters changes often in a random text.
    let class = |it: u8| match it {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let changes =
        text.as_bytes().windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    let has_both = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    has_digits && has_letters && has_both && changes * 3 >= text.len()
}

/// Whether a text looks like a token at any place: long, random, and in both cases. Identifiers and
/// hashes in hexadecimal have one case.
pub(super) fn is_token(text: &str) -> bool {
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    text.len() >= TOKEN_MIN
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && is_random(text)
}

/// Whether a text may be a secret at a place that has one: a random text, or a shorter
/// alphanumeric one with a digit.
pub(super) fn may_be_token(text: &str) -> bool {
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    is_random(text)
        || text.len() >= 8
            && has(u8::is_ascii_alphabetic)
            && has(u8::is_ascii_digit)
            && !is_uuid(text)
}

/// JWTs, signed or encrypted: `eyJ….….…`.
fn tokens(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let segment = |from: usize| {
        let rest = bytes[from..].iter();
        from + rest
            .take_while(|&&it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
            .count()
    };
    let mut at = 0;
    while let Some(start) = text[at..].find("eyJ").map(|offset| at + offset) {
        let head = segment(start);
        at = head;
        if head - start < 10 || bytes.get(head) != Some(&b'.') {
            continue;
        }
        let payload = segment(head + 1);
        if payload == head + 1 || bytes.get(payload) != Some(&b'.') {
            continue;
        }
        let mut end = segment(payload + 1);
        // An encrypted token has five segments.
        while bytes.get(end) == Some(&b'.') && segment(end + 1) > end + 1 {
            end = segment(end + 1);
        }
        found.push(start..end);
        at = end;
    }
}

/// The credentials after `Bearer` and `Basic`.
fn schemes(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let is_of_token = |it: u8| {
        it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let begins =
            |word: &[u8]| rest.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
        let (is_bearer, is_basic) = (begins(b"bearer"), begins(b"basic"));
        if !is_bearer && !is_basic {
            at += 1;
            continue;
        }
        let after = at + if is_bearer { 6 } else { 5 };
        let is_space = |it: &&u8| matches!(**it, b' ' | b'+');
        let spaces = bytes[after..].iter().take_while(is_space).count();
        let start = after + if bytes[after..].starts_with(b"%20") { 3 } else { spaces };
        let plain = start + bytes[start..].iter().take_while(|&&it| is_of_token(it)).count();
        let end = plain + bytes[plain..].iter().take_while(|&&it| it == b'=').count();
        // `Bearer realm="…"` is a challenge.
        let is_challenge = end > plain && bytes.get(end) == Some(&b'"');
        let is_credential = if is_bearer {
            end - start >= 6 && !is_challenge
        } else {
            is_user_and_password(&text[start..plain])
        };
        let is_token = start > after && is_credential;
        if is_token {
            found.push(start..end);
        }
        // A long run is not read again, so that the search stays short.
        at = if is_token || end - start > 64 { end } else { after };
    }
}

/// Whether credentials of the scheme `Basic` are encoded here: `user:password`.
fn is_user_and_password(encoded: &str) -> bool {
    (4..8_192).contains(&encoded.len())
        && STANDARD_NO_PAD.decode(encoded).is_ok_and(|plain| plain.contains(&b':'))
}

/// Hashes of passwords: `$argon2id$v=19$…`, `$2b$12$…`.
fn hashes(text: &str, found: &mut Vec<Range<usize>>) {
    let is_of_hash = |it: u8| {
        it.is_ascii_alphanumeric()
            || matches!(it, b'$' | b'=' | b',' | b'+' | b'/' | b'.' | b'-' | b'_')
    };
    let mut at = 0;
    while let Some(start) = text[at..].find('$').map(|offset| at + offset) {
        let length = text.as_bytes()[start..].iter().take_while(|&&it| is_of_hash(it)).count();
        let end = start + length;
        let hash = &text[start..end];
        if length >= 20 && HASHES.iter().any(|begin| hash.starts_with(begin)) {
            found.push(start..end);
            at = end;
        } else {
            at = start + 1;
            // The next `$` of the same run is read once more only if it may begin a hash.
            while at < end && !HASHES.iter().any(|begin| text[at..end].starts_with(begin)) {
                at += 1;
            }
        }
    }
}

/// PEM blocks. One without an end, as in a text that was cut, reaches to the end of the text.
fn pem_blocks(text: &str, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(start) = text[at..].find("-----BEGIN ").map(|offset| at + offset) {
        let rest = &text[start..];
        let end = rest.find("-----END ").map_or(text.len(), |offset| {
            let after = start + offset + "-----END ".len();
            text[after..].find("-----").map_or(text.len(), |dashes| after + dashes + 5)
        });
        found.push(start..end);
        at = end;
    }
}

/// Random parts of the paths of links, such as the one-time token of a mail.
fn links(text: &str, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(start) = text[at..].find("://").map(|offset| at + offset + 3) {
        let rest = &text[start..];
        let length = rest.find(|it: char| it.is_whitespace() || LINK_ENDS.contains(&it));
        let link = &rest[..length.unwrap_or(rest.len())];
        at = start + link.len();
        // `https://user:password@host/`
        let authority = link.find(['/', '?', '#']).unwrap_or(link.len());
        if let Some(sign) = link[..authority].rfind('@')
            && let Some(colon) = link[..sign].find(':')
        {
            found.push(start + colon + 1..start + sign);
        }
        let path = link[authority..].find(['?', '#']).map_or(link.len(), |end| authority + end);
        let mut begins = authority;
        for part in link[authority..path].split_inclusive('/') {
            let name = part.trim_end_matches(['/', '.', ',', ';', ':', '!']);
            if is_random(name) {
                found.push(start + begins..start + begins + name.len());
            }
            begins += part.len();
        }
        fragments(link, path, start, found);
    }
}

/// Random values in the query and the fragment of a link, such as `#/reset/…`.
fn fragments(link: &str, path: usize, start: usize, found: &mut Vec<Range<usize>>) {
    let Some(hash) = link[path..].find('#').map(|offset| path + offset + 1) else { return };
    let mut begins = hash;
    for part in link[hash..].split_inclusive(['/', '&', '=', '?']) {
        let name = part.trim_end_matches(['/', '&', '=', '?', '.', ',', ';']);
        if is_random(name) {
            found.push(start + begins..start + begins + name.len());
        }
        begins += part.len();
    }
}

/// Whether a text is a UUID with its dashes.
fn is_uuid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok() && text.len() == 36
}
