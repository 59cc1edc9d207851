//! `GenerateSecretString`: the random value of a secret.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::deserialize::{flag, number};
use super::error::TemplateError;
use super::model::GeneratedValue;

/// The maximum characters of a value.
const LENGTH_MAX: usize = 4096;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GeneratedProperties {
    #[serde(default = "thirty_two", deserialize_with = "number")]
    password_length: usize,
    #[serde(default)]
    exclude_characters: String,
    #[serde(default, deserialize_with = "flag")]
    exclude_lowercase: bool,
    #[serde(default, deserialize_with = "flag")]
    exclude_numbers: bool,
    #[serde(default, deserialize_with = "flag")]
    exclude_uppercase: bool,
    secret_string_template: Option<String>,
    generate_string_key: Option<String>,
    // The value has no punctuation in any case.
    #[serde(rename = "ExcludePunctuation")]
    _exclude_punctuation: Option<IgnoredAny>,
    #[serde(rename = "IncludeSpace")]
    _include_space: Option<IgnoredAny>,
    #[serde(rename = "RequireEachIncludedType")]
    _require_each_included_type: Option<IgnoredAny>,
}

impl GeneratedProperties {
    /// The value of a secret.
    pub(super) fn into_value(self, secret: &str) -> Result<GeneratedValue, TemplateError> {
        let refused = |property: &str, what: &str| {
            let place = format!("GenerateSecretString/{property}");
            Err(TemplateError::in_resource(secret, &place, what))
        };
        if !(1..=LENGTH_MAX).contains(&self.password_length) {
            let what = format!("{}, not from 1 to {LENGTH_MAX}", self.password_length);
            return refused("PasswordLength", &what);
        }
        let kinds = [
            (self.exclude_lowercase, 'a'..='z'),
            (self.exclude_uppercase, 'A'..='Z'),
            (self.exclude_numbers, '0'..='9'),
        ];
        let included = kinds.into_iter().filter(|(is_excluded, _)| !is_excluded);
        let included = included.flat_map(|(_, characters)| characters);
        let alphabet: String =
            included.filter(|character| !self.exclude_characters.contains(*character)).collect();
        if alphabet.is_empty() {
            return refused("", "a value that may have no character");
        }
        let within = match (self.secret_string_template, self.generate_string_key) {
            (None, None) => None,
            (Some(template), Some(key)) => {
                let Ok(object) = serde_json::from_str::<Map<String, Value>>(&template) else {
                    return refused("SecretStringTemplate", "a template that is no JSON object");
                };
                Some((object, key))
            }
            _ => return refused("", "SecretStringTemplate and GenerateStringKey, one alone"),
        };
        Ok(GeneratedValue { length: self.password_length, alphabet, within })
    }
}

impl GeneratedValue {
    /// A value, alone or in its object. `index` draws a number below its argument.
    pub fn text(&self, mut index: impl FnMut(usize) -> usize) -> String {
        let alphabet: Vec<char> = self.alphabet.chars().collect();
        let value: String = (0..self.length).map(|_| alphabet[index(alphabet.len())]).collect();
        match &self.within {
            None => value,
            Some((object, key)) => {
                let mut object = object.clone();
                object.insert(key.clone(), value.into());
                Value::Object(object).to_string()
            }
        }
    }
}

/// AWS's default.
fn thirty_two() -> usize {
    32
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn generated(properties: Value) -> Result<GeneratedValue, String> {
        let properties: GeneratedProperties = serde_json::from_value(properties).unwrap();
        properties.into_value("S").map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_has_its_length_characters_and_object() {
        let default = generated(json!({"ExcludePunctuation": true})).unwrap();
        assert_eq!((default.length, default.alphabet.len(), default.within), (32, 62, None));

        let value = generated(json!({
            "PasswordLength": 20,
            "ExcludeCharacters": "019",
            "ExcludeLowercase": true,
            "ExcludeUppercase": true,
            "SecretStringTemplate": "{\"username\": \"ada\"}",
            "GenerateStringKey": "password",
        }))
        .unwrap();
        assert_eq!((value.length, value.alphabet.as_str()), (20, "2345678"));
        let (object, key) = value.within.unwrap();
        assert_eq!((object["username"].as_str(), key.as_str()), (Some("ada"), "password"));
    }

    #[test]
    fn a_random_value_has_its_length_and_characters_and_is_added_to_its_object() {
        let mut settings = GeneratedValue { length: 5, alphabet: "abc".to_owned(), within: None };
        let mut draws = [0, 2, 1, 1, 0].into_iter().cycle();
        let mut index = |_| draws.next().unwrap();
        assert_eq!(settings.text(&mut index), "acbba");

        let object = json!({"username": "ada"}).as_object().unwrap().clone();
        settings.within = Some((object, "password".to_owned()));
        let value: Value = serde_json::from_str(&settings.text(&mut index)).unwrap();
        assert_eq!(value, json!({"username": "ada", "password": "acbba"}));
    }

    #[test]
    fn a_value_that_aws_would_not_generate_is_an_error() {
        for (properties, said) in [
            (json!({"PasswordLength": 0}), "PasswordLength: 0, not from 1 to 4096"),
            (json!({"PasswordLength": 4097}), "PasswordLength: 4097, not from 1"),
            (
                json!({"SecretStringTemplate": "[]", "GenerateStringKey": "a"}),
                "a template that is no JSON object",
            ),
            (json!({"SecretStringTemplate": "{}"}), "one alone"),
        ] {
            let error = generated(properties).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
