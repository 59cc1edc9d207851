//! Operators' commands against a platform.

use std::sync::Mutex;

use super::Api;

/// Runs `cargo xtask ops …`. Returns its output line by line, or the reason of its failure.
pub(crate) async fn operate(api: &Api, arguments: &[&str]) -> Result<Vec<String>, String> {
    let platform = api.inside().expect("a platform").platform();
    let environment = platform.stores().operator_environment();
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let command = ops::Command::read(&arguments).map_err(|usage| usage.to_string())?;
    let said = Mutex::new(Vec::new());
    let say = |line: &str| said.lock().unwrap().push(line.to_owned());
    let look_up = move |name: &str| environment.get(name).cloned();
    let done = ops::run(&command, look_up, &say).await;
    done.map(|()| said.into_inner().unwrap()).map_err(|error| error.to_string())
}
