//! Limits: no client guesses passwords faster than documented, and no stranger's guesses lock a user out.

use std::collections::BTreeMap;

use simulation::Millis;
use simulation::evidence::Requests;
use simulation::world::{Event, Happened, Oracle, View};

pub(super) const NAME: &str = "limits hold";

/// The time in which guesses are counted.
const WINDOW: Millis = Millis::seconds(60);
/// The guesses at one account from one address in that time, which may be parts of two windows. While
/// the table of limits is overloaded, each execution environment allows two more in a window.
const GUESSES_MAX: usize = 2 * 5 + 4;

/// Checks each answer to a sign-in.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    requests: Requests,
    /// The times of the guesses at an account from an address.
    guesses: BTreeMap<(String, String), Vec<Millis>>,
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
        if count > GUESSES_MAX {
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
        let mut guess = |address: &str, second| {
            limits.guessed("a@example.com".to_owned(), address.to_owned(), Millis::seconds(second))
        };
        for number in 0..14 {
            assert!(guess("192.0.2.1", number).is_ok());
            assert!(guess("192.0.2.2", number).is_ok());
        }
        assert!(guess("192.0.2.2", 61).is_ok());
        guess("192.0.2.1", 20).unwrap_err();
    }
}
