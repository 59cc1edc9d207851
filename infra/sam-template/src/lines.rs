//! The lines of the places that errors name.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use super::error::TemplateError;

/// The error with the lines of its places in the template's text.
pub(super) fn located(error: TemplateError, source: &str) -> TemplateError {
    let documents = MarkedYaml::load_from_str(source).unwrap_or_default();
    match documents.first() {
        Some(document) => with_lines(error, document),
        None => error,
    }
}

fn with_lines(error: TemplateError, document: &MarkedYaml<'_>) -> TemplateError {
    match error {
        TemplateError::NotUnderstood { path, what, .. } => {
            TemplateError::NotUnderstood { line: line(document, &path), path, what }
        }
        TemplateError::Several(errors) => {
            let errors = errors.into_iter().map(|error| with_lines(error, document));
            TemplateError::Several(errors.collect())
        }
        other => other,
    }
}

/// The line of a JSON Pointer, or of the nearest part around it that the document has.
fn line(document: &MarkedYaml<'_>, pointer: &str) -> Option<usize> {
    let mut node = document;
    let mut line = None;
    for name in pointer.split('/').filter(|name| !name.is_empty()) {
        while let YamlData::Tagged(_, inner) = &node.data {
            node = inner;
        }
        let found = match &node.data {
            YamlData::Mapping(entries) => entries.iter().find(|(key, _)| is(key, name)),
            YamlData::Sequence(items) => {
                let item = name.parse::<usize>().ok().and_then(|index| items.get(index));
                item.map(|item| (item, item))
            }
            _ => None,
        };
        let Some((key, value)) = found else { break };
        line = Some(key.span.start.line());
        node = value;
    }
    line
}

fn is(key: &MarkedYaml<'_>, name: &str) -> bool {
    matches!(&key.data, YamlData::Value(Scalar::String(words)) if words == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_line_of_its_place_or_of_the_part_around_it() {
        let source = "Resources:\n  Q:\n    Type: T\n    Properties:\n      A: !Sub\n        - x\n        - {B: 1}\n";
        let line = |path: &str| match located(TemplateError::not_understood(path, "x"), source) {
            TemplateError::NotUnderstood { line, .. } => line,
            other => panic!("{other}"),
        };

        assert_eq!(line("/Resources/Q"), Some(2));
        assert_eq!(line("/Resources/Q/Properties/A"), Some(5));
        assert_eq!(line("/Resources/Q/Properties/A/1/B"), Some(7));
        assert_eq!(line("/Resources/Q/Properties/C"), Some(4));
        assert_eq!(line("/Mappings"), None);
    }
}
