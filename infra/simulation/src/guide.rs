#![doc = include_str!("../guide/simulate_your_service.md")]
