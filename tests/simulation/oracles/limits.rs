//! Limits: no client guesses passwords faster than documented, and no stranger's guesses lock a user out.

use std::collections::BTreeMap;

use simulation::Millis;
use simulation::evidence::Requests;
use simulation::world::{Event, Happened, Oracle, View};

pub(super) const NAME: &str = "limits hold";

/// The time in which guesses are counted.
const WINDOW: Millis = Millis::seconds(60);
/// The guesses at one account from one address in that time, which may be parts of two windows.
const GUESSES_MAX: usize = 2 * 5;
/// The further guesses that an execution environment allows in that time, while it cannot reach the
/// table of limits: two in a window.
const GUESSES_IN_MEMORY_MAX: usize = 2 * 2;

/// Checks each answer to a sign-in.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    requests: Requests,
    /// The times of the guesses at an account from an address.
    guesses: BTreeMap<(String, String), Vec<Millis>>,
    /// When each execution environment last counted a guess in its memory.
    in_memory: BTreeMap<String, Millis>,
}

impl Oracle for Limits {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        if let Happened::Noted { name, value, .. } = &event.what
            && name == "signed in at home"
            && value["status"] == 429
        {
            return Err("guesses of strangers locked a user out at a known address".to_owned());
        }
        if let Happened::Line { environment, line, .. } = &event.what
            && line["limit"] == "sign-in-at"
        {
            self.in_memory.insert(environment.clone(), event.at);
        }
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        if !request.is("POST", "/sessions") || !answer.by_function || answer.status != 401 {
            return Ok(());
        }
        let email = request.json()["email"].as_str().unwrap_or_default().to_lowercase();
        self.guessed(email, request.address, event.at)
    }
}

impl Limits {
    fn guessed(&mut self, email: String, address: String, at: Millis) -> Result<(), String> {
        let text = format!("{email} from {address}");
        let guesses = self.guesses.entry((email, address)).or_default();
        guesses.retain(|before| at.since(*before) < WINDOW);
        guesses.push(at);
        let count = guesses.len();
        self.in_memory.retain(|_, last| at.since(*last) < WINDOW);
        if count > GUESSES_MAX + self.in_memory.len() * GUESSES_IN_MEMORY_MAX {
            return Err(format!("{count} guesses in a minute at {text}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_guesses_from_one_address_in_a_minute_are_found() {
        let mut limits = Limits::default();
        for number in 0..10 {
            assert!(guess(&mut limits, "192.0.2.1", number).is_ok());
            assert!(guess(&mut limits, "192.0.2.2", number).is_ok());
        }
        assert!(guess(&mut limits, "192.0.2.2", 61).is_ok());
        guess(&mut limits, "192.0.2.1", 20).unwrap_err();
    }

    #[test]
    fn each_environment_that_counted_in_memory_allows_four_more() {
        let mut limits = Limits::default();
        limits.in_memory.insert("environment".to_owned(), Millis::seconds(1));
        for number in 0..14 {
            assert!(guess(&mut limits, "192.0.2.1", number).is_ok());
        }
        guess(&mut limits, "192.0.2.1", 20).unwrap_err();
        // A minute later it allows no more than others.
        for number in 81..91 {
            assert!(guess(&mut limits, "192.0.2.1", number).is_ok());
        }
        guess(&mut limits, "192.0.2.1", 92).unwrap_err();
    }

    fn guess(limits: &mut Limits, address: &str, second: u64) -> Result<(), String> {
        limits.guessed("a@example.com".to_owned(), address.to_owned(), Millis::seconds(second))
    }
}
