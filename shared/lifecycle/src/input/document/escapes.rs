//! Escapes in JSON strings.

/// Decodes a JSON string with escapes. Half of a surrogate pair becomes U+FFFD.
pub(super) fn unescaped(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, behind)) = rest.split_once('\\') {
        text.push_str(before);
        let mut after = behind.chars();
        rest = match after.next() {
            Some('u') => {
                let (character, length) = code_point(after.as_str().as_bytes());
                text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
                &after.as_str()[length..]
            }
            other => {
                text.extend(other.map(|letter| match letter {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    itself => itself,
                }));
                after.as_str()
            }
        };
    }
    text.push_str(rest);
    text
}

/// Decodes the hexadecimal digits after `\u`, and returns the length of their spelling. The
/// character is `None` for half of a surrogate pair.
pub(super) fn code_point(digits: &[u8]) -> (Option<char>, usize) {
    let high = hexadecimal(digits);
    let low = match digits.get(4..6) {
        Some(b"\\u") => hexadecimal(&digits[6..]),
        _ => None,
    };
    match (high, low) {
        (Some(high @ 0xD800..0xDC00), Some(low @ 0xDC00..0xE000)) => {
            (char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 10)
        }
        (Some(single), _) => (char::from_u32(single), 4),
        (None, _) => (None, 0),
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits
        .get(..4)?
        .iter()
        .try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}
