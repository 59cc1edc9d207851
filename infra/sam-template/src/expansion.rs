//! Limits of a template's memory and time: aliases and expressions repeat other parts, so a short
//! text could stand for any number of values. Values that are nested too deeply would overflow the stack.

use std::cell::Cell;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};
use serde_json::Value;

use super::error::TemplateError;

/// The maximum size of a template after its aliases, and again its expressions, are replaced by
/// their values. A template on AWS has at most 1 MB.
const SIZE_MAX: usize = 32 * 1024 * 1024;

/// The size of a value, without its text: about the memory that it takes.
const VALUE_SIZE: usize = 64;

/// The maximum number of lists and maps around a value, once aliases are replaced. Expressions have a
/// lower limit.
const LEVELS_MAX: usize = 128;

/// The parser's number for a value without an anchor.
const NO_ANCHOR: usize = 0;

/// The size that a template may still have.
pub(super) struct Left(Cell<usize>);

impl Left {
    pub(super) const fn new() -> Self {
        Self(Cell::new(SIZE_MAX))
    }

    /// Takes the size of a value with this many bytes of text.
    ///
    /// # Errors
    /// If less is left.
    pub(super) fn take(&self, bytes: usize, path: &str) -> Result<(), TemplateError> {
        let left = self.0.get().checked_sub(bytes.saturating_add(VALUE_SIZE));
        self.0.set(left.ok_or_else(|| too_large(path, "expressions"))?);
        Ok(())
    }

    /// A copy of a value. Takes its size, with everything in it.
    ///
    /// # Errors
    /// If less is left.
    pub(super) fn copy(&self, value: &Value, path: &str) -> Result<Value, TemplateError> {
        self.take_all(value, path)?;
        Ok(value.clone())
    }

    fn take_all(&self, value: &Value, path: &str) -> Result<(), TemplateError> {
        match value {
            Value::String(text) => self.take(text.len(), path),
            Value::Array(items) => {
                self.take(0, path)?;
                items.iter().try_for_each(|item| self.take_all(item, path))
            }
            Value::Object(object) => {
                self.take(0, path)?;
                object.iter().try_for_each(|(name, value)| {
                    self.take(name.len(), path)?;
                    self.take_all(value, path)
                })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.take(0, path),
        }
    }
}

/// A value of a YAML text, with its aliases replaced.
#[derive(Clone, Copy, Default)]
struct Extent {
    size: usize,
    /// The number of lists and maps in each other, from this value on.
    levels: usize,
}

impl Extent {
    /// A value without others in it.
    const fn of(size: usize) -> Self {
        Self { size, levels: 0 }
    }
}

/// Checks the size and the depth that a YAML text has once its aliases are replaced. A text that is not
/// YAML passes: its parser knows the reason.
///
/// # Errors
/// If it is too large or too deep.
pub(super) fn check(source: &str) -> Result<(), TemplateError> {
    let mut anchored = BTreeMap::new();
    let mut open: Vec<(usize, Extent)> = Vec::new();
    let mut total = 0_usize;
    for event in Parser::new_from_str(source) {
        let Ok((event, _)) = event else { return Ok(()) };
        let (anchor, value) = match event {
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                open.push((anchor, Extent { size: VALUE_SIZE, levels: 1 }));
                total += VALUE_SIZE;
                // The parser of the whole text would call itself for each level.
                if open.len() > LEVELS_MAX {
                    return Err(too_deep());
                }
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().unwrap_or_default(),
            Event::Scalar(text, _, anchor, _) => {
                let size = VALUE_SIZE + text.len();
                total += size;
                (anchor, Extent::of(size))
            }
            Event::Alias(anchor) => {
                let value = anchored.get(&anchor).copied().unwrap_or(Extent::of(VALUE_SIZE));
                total += value.size;
                (NO_ANCHOR, value)
            }
            _ => continue,
        };
        if open.len() + value.levels > LEVELS_MAX {
            return Err(too_deep());
        }
        if let Some((_, outer)) = open.last_mut() {
            outer.size += value.size;
            outer.levels = outer.levels.max(value.levels + 1);
        }
        if anchor != NO_ANCHOR {
            // The parser keeps a copy of each value that has an anchor.
            total += value.size;
            anchored.insert(anchor, value);
        }
        if total > SIZE_MAX {
            return Err(too_large("/", "aliases"));
        }
    }
    Ok(())
}

/// The error of parts that repeat others beyond [`SIZE_MAX`].
fn too_large(path: &str, parts: &str) -> TemplateError {
    let most = SIZE_MAX / 1024 / 1024;
    TemplateError::not_understood(path, &format!("{parts} that expand to more than {most} MiB"))
}

/// The error of values beyond [`LEVELS_MAX`].
fn too_deep() -> TemplateError {
    TemplateError::not_understood("/", &format!("values nested more than {LEVELS_MAX} levels deep"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Template;
    use super::*;

    fn error(template: &str) -> String {
        Template::parse(template, &BTreeMap::new()).unwrap_err().to_string()
    }

    /// Twenty lists, each of which repeats the one before it.
    fn repeated(line: impl Fn(usize) -> String) -> String {
        (1..=20).fold("L0: &l0 [x, x]\n".to_owned(), |text, number| text + &line(number))
    }

    #[test]
    fn aliases_may_not_expand_beyond_the_limit() {
        let lists = repeated(|it| format!("L{it}: &l{it} [*l{0} , *l{0} , *l{0} ]\n", it - 1));
        let tagged =
            repeated(|it| format!("L{it}: &l{it} !Join [*l{0} , *l{0} , *l{0} ]\n", it - 1));
        let keys = repeated(|it| {
            format!(
                "L{it}: &l{it} {{? [*l{0} , 1] : 1, ? [*l{0} , 2] : 1, ? [*l{0} , 3] : 1}}\n",
                it - 1
            )
        });
        let text = format!("A: &a {}\nB: [{}]\n", "x".repeat(40_000), "*a , ".repeat(1_000));

        for template in [lists, tagged, keys, text] {
            assert_eq!(
                error(&template),
                "the local platform does not support the template at /: aliases that expand to \
                 more than 32 MiB"
            );
        }
    }

    #[test]
    fn values_may_not_be_nested_beyond_the_limit() {
        let list = format!("A:\n{}x\n", "- ".repeat(100_000));
        let flow = format!("A: {}{}\n", "[".repeat(200), "]".repeat(200));
        let aliases = (1..=200).fold("L0: &l0 [x]\n".to_owned(), |text, number| {
            text + &format!("L{number}: &l{number} [*l{} ]\n", number - 1)
        });
        for template in [list, flow, aliases] {
            let found = error(&template);
            assert!(found.ends_with("/: values nested more than 128 levels deep"), "{found}");
        }
        let deepest = format!("A: {}{}\n", "[".repeat(127), "]".repeat(127));
        assert!(check(&deepest).is_ok());
    }

    #[test]
    fn aliases_are_replaced() {
        let source = "Resources:\n  A: &queue {Type: 'AWS::SQS::Queue'}\n  B: *queue\n";
        let template = Template::parse(source, &BTreeMap::new()).unwrap();

        assert_eq!(template.queues.len(), 2);
    }

    /// The error about a template with a queue that has this delay.
    fn error_of_delay(delay: &Value, more: Value) -> String {
        let queue = json!({"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay}});
        let mut template = json!({"Resources": {"Q": queue}});
        template.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        error(&template.to_string())
    }

    #[test]
    fn expressions_may_not_expand_beyond_the_limit() {
        let too_large = "expressions that expand to more than 32 MiB";
        let nested = (0..12)
            .fold(json!("1"), |inner, _| json!({"Fn::Sub": ["${a}".repeat(20), {"a": inner}]}));
        assert!(error_of_delay(&nested, json!({})).contains(too_large));

        let long = "x".repeat(100_000);
        let parameters = json!({"Parameters": {"P": {"Type": "String", "Default": long}}});
        let repeated = json!({"Fn::Sub": "${P}".repeat(1_000)});
        assert!(error_of_delay(&repeated, parameters).contains(too_large));

        let mapped = json!({"Mappings": {"M": {"a": {"b": long}}}});
        let found = json!({"Fn::FindInMap": ["M", "a", "b"]});
        let joined = json!({"Fn::Join": ["", vec![found; 1_000]]});
        assert!(error_of_delay(&joined, mapped).contains(too_large));

        let joined = json!({"Fn::Join": [long, vec!["1"; 1_000]]});
        assert!(error_of_delay(&joined, json!({})).contains(too_large));
    }

    #[test]
    fn conditions_may_not_repeat_each_other_without_end() {
        let mut conditions = json!({"C28": {"Fn::Equals": ["a", "a"]}});
        for number in 0..28 {
            let next = json!({"Condition": format!("C{}", number + 1)});
            conditions[format!("C{number}")] = json!({"Fn::And": [next, next]});
        }
        let delay = json!({"Fn::If": ["C0", 1, 2]});
        let error = error_of_delay(&delay, json!({"Conditions": conditions}));

        assert!(error.contains("expressions that expand to more than 32 MiB"), "{error}");
    }
}
