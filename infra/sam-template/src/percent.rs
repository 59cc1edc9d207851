//! Percent-decoding as in API Gateway: invalid sequences stay unchanged.

/// Decodes `%41` and the like.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let byte = match bytes[index..] {
            [b'%', high, low, ..] => hex(high).zip(hex(low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        index += if byte.is_some() { 3 } else { 1 };
        decoded.push(byte.unwrap_or_else(|| bytes[index - 1]));
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Decodes a part of a query, where `+` is a space.
pub fn decode_query(text: &str) -> String {
    decode(&text.replace('+', " "))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_percent_encoding_stays_unchanged() {
        let cases = [("a%20b", "a b"), ("%C3%A4", "ä"), ("100%", "100%"), ("%zz%4", "%zz%4")];

        for (encoded, decoded) in cases {
            assert_eq!(decode(encoded), decoded);
        }
        assert_eq!(decode_query("a+b%2B"), "a b+");
    }
}
