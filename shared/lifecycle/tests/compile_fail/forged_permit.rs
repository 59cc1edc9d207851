//! A permit that was not made by the lifecycle.

use std::time::Duration;

use lifecycle::{Anyone, Deadline, Moment, Permit, Timestamp};

fn main() {
    let moment = Moment::new(Timestamp::from_millis(0), [0; 32]);
    let deadline = Deadline::after(Duration::from_secs(1));
    let _ = Permit::new(Anyone, moment.clone(), deadline);
    let _ = Permit { caller: Anyone, moment, deadline };
}
