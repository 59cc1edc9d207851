//! Log lines on standard output, each a JSON object.

use std::fmt;
use std::io::Write as _;
use std::panic::PanicHookInfo;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::reason::panic_message;
use crate::clock;

/// Writes the log lines of the process to standard output, from the level in `LOG_LEVEL` (default
/// `INFO`). Panics become log lines too.
pub(crate) fn start(function: &str, level: Option<&str>) {
    let subscriber = tracing_subscriber::registry()
        .with(level_of(level))
        .with(JsonLines { function: function.to_owned() });
    // A second start in one process, as in tests, keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(log_panic));
}

/// Writes the log lines of simulated functions to their surroundings, each from the level of its
/// function. Panics outside of simulations keep their hook.
///
/// # Errors
///
/// If the process or the thread has another subscriber, which would take the lines.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn start_simulated() -> Result<(), String> {
    static STARTED: std::sync::Once = std::sync::Once::new();
    STARTED.call_once(|| {
        let subscriber = tracing_subscriber::registry()
            .with(OfSimulations)
            .with(JsonLines { function: "function".to_owned() });
        // The check below finds another subscriber.
        let _ = tracing::subscriber::set_global_default(subscriber);
        // A line of another thread that was first used meanwhile would stay switched off.
        tracing::callsite::rebuild_interest_cache();
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if crate::surroundings::is_simulated() {
                log_panic(panic);
            } else {
                others(panic);
            }
        }));
    });
    if tracing::dispatcher::get_default(tracing::Dispatch::is::<OfSimulations>) {
        return Ok(());
    }
    let reason = "another subscriber of `tracing` takes the log lines of simulated functions; set none \
                  in a process with simulations, neither for all threads nor for one";
    Err(reason.to_owned())
}

/// The filter of simulated functions. Each has a level. The lines of the AWS SDK are left out: they
/// have requests as they are sent, whose members are in a random order.
#[cfg(any(test, feature = "testing"))]
struct OfSimulations;

#[cfg(any(test, feature = "testing"))]
impl<S: Subscriber> Layer<S> for OfSimulations {
    /// By default, the first function that reaches a line would decide for all. `never` is final: `enabled`
    /// is not asked about the lines of the SDK.
    fn register_callsite(
        &self,
        metadata: &'static tracing::Metadata<'static>,
    ) -> tracing::subscriber::Interest {
        use tracing::subscriber::Interest;
        if is_of_sdk(metadata.target()) { Interest::never() } else { Interest::sometimes() }
    }

    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= crate::surroundings::log_level() && !is_of_sdk(metadata.target())
    }
}

/// Whether a line is of a crate of the AWS SDK.
#[cfg(any(test, feature = "testing"))]
fn is_of_sdk(target: &str) -> bool {
    const CRATES: [&str; 5] =
        ["aws_config", "aws_credential_types", "aws_runtime", "aws_sigv4", "aws_types"];
    let name = target.split("::").next().unwrap_or_default();
    let is_family = |family: &str| name.strip_prefix(family).is_some_and(|it| it.starts_with('_'));
    CRATES.contains(&name) || is_family("aws_sdk") || is_family("aws_smithy")
}

/// The level in `LOG_LEVEL`; `INFO` if it names none.
pub(crate) fn level_of(level: Option<&str>) -> LevelFilter {
    level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO)
}

/// Logs a panic with its message and its place. A panic that no guard catches has no other line.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, error = panic_message(panic.payload()), "panicked");
}

/// Prints complete lines to standard output, where Lambda collects them. All of them are one call of
/// the operating system, which costs some microseconds.
pub(crate) fn print_all(lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter();
    let Some(mut text) = lines.next() else { return };
    for line in lines {
        text.push('\n');
        text.push_str(&line);
    }
    #[cfg(any(test, feature = "testing"))]
    if crate::surroundings::log(&text) {
        return;
    }
    text.push('\n');
    // There is no other place to report it.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

struct JsonLines {
    function: String,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        print_all([self.line(event).to_string()]);
    }
}

impl JsonLines {
    /// The name of the process's function, or of the simulated one.
    fn function(&self) -> String {
        #[cfg(any(test, feature = "testing"))]
        if let Some(function) = crate::surroundings::function() {
            return function.as_ref().to_owned();
        }
        self.function.clone()
    }

    fn line(&self, event: &Event<'_>) -> Value {
        let mut line = Map::new();
        let metadata = event.metadata();
        line.insert("level".into(), metadata.level().as_str().into());
        line.insert("timestamp".into(), clock::now().to_string().into());
        event.record(&mut Fields(&mut line));
        line.insert("target".into(), metadata.target().into());
        line.insert("function".into(), self.function().into());
        if let Some(id) = super::request_id() {
            line.insert("requestId".into(), id.into());
        }
        Value::Object(line)
    }
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().into(), value.into());
    }
}

/// Captures log lines, for tests.
#[cfg(test)]
pub(crate) mod captured {
    use std::sync::{Arc, Mutex, Once};

    use tracing::subscriber::DefaultGuard;

    use super::*;

    /// Captures the log lines of this thread while the value exists.
    pub(crate) struct Captured {
        lines: Arc<Mutex<Vec<Value>>>,
        _default: DefaultGuard,
    }

    struct Lines(Arc<Mutex<Vec<Value>>>);

    impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let line = JsonLines { function: "test".to_owned() }.line(event);
            self.0.lock().unwrap().push(line);
        }
    }

    impl Captured {
        pub(crate) fn start() -> Self {
            // Without it, an event that first occurs on another thread is switched off for all threads.
            static EVERYWHERE: Once = Once::new();
            EVERYWHERE.call_once(|| {
                // That of simulated functions, which start in this process, too.
                let _ = start_simulated();
            });
            let lines = Arc::<Mutex<Vec<Value>>>::default();
            let subscriber = tracing_subscriber::registry().with(Lines(Arc::clone(&lines)));
            Self { lines, _default: tracing::subscriber::set_default(subscriber) }
        }

        /// Returns the lines with this message.
        pub(crate) fn of(&self, message: &str) -> Vec<Value> {
            let lines = self.lines.lock().unwrap();
            lines.iter().filter(|line| line["message"] == message).cloned().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{catch_unwind, set_hook, take_hook};

    use super::captured::Captured;
    use super::*;

    fn find(table: &str, known: &[&str]) {
        assert!(known.contains(&table), "RESOURCES lacks the table {table}");
    }

    #[test]
    fn a_level_may_have_any_case_and_another_value_is_info() {
        for (level, expected) in [
            (Some("warn"), LevelFilter::WARN),
            (Some("TRACE"), LevelFilter::TRACE),
            (Some("off"), LevelFilter::OFF),
            (Some("verbose"), LevelFilter::INFO),
            (None, LevelFilter::INFO),
        ] {
            assert_eq!(level_of(level), expected, "{level:?}");
        }
    }

    #[test]
    fn a_line_has_each_field_as_its_type_and_the_name_of_the_function() {
        let logged = Captured::start();
        tracing::info!(count = 7_u64, change = -7_i64, done = true, share = 0.5, "typed");
        let [mut line] = <[Value; 1]>::try_from(logged.of("typed")).unwrap();
        line.as_object_mut().unwrap().remove("timestamp");
        let expected = serde_json::json!({
            "level": "INFO", "target": module_path!(), "function": "test", "message": "typed",
            "count": 7, "change": -7, "done": true, "share": 0.5,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn a_panic_is_logged_with_its_message_and_place() {
        let logged = Captured::start();
        let before = take_hook();
        set_hook(Box::new(log_panic));
        let caught = catch_unwind(|| find("ratings", &[]));
        set_hook(before);
        assert!(caught.is_err());
        let [line] = logged.of("panicked").try_into().unwrap();
        assert_eq!(line["error"], "RESOURCES lacks the table ratings");
        assert!(line["place"].as_str().unwrap().contains("log.rs:"), "{line}");
    }
}
