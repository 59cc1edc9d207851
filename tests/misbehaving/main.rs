//! A function that misbehaves on purpose. Its variable `MISBEHAVIOUR` chooses how. It is one program,
//! since linking is the expensive part.

mod crashes;
mod hangs;
mod panics;
mod spins;

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::var("MISBEHAVIOUR").as_deref() {
        Ok("crashes") => crashes::serve(),
        Ok("hangs") => hangs::serve(),
        Ok("panics") => panics::serve(),
        Ok("spins") => spins::serve(),
        _ => ExitCode::FAILURE,
    }
}
