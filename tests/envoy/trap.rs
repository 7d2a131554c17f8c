//! A VM that traps comes back, and is closed until then. The trap is in a build
//! that never ships.

use std::time::{Duration, Instant};

use crate::envoy::trapping_module;
use crate::{EXCHANGE, PASSWORD, Rig, configuration, wire};

#[test]
fn a_trapped_vm_never_opens_and_recovers() {
    let module = trapping_module();
    let mut rig = Rig::with(&configuration("default"), |setup| setup.module = module.to_owned());
    assert_eq!(rig.post("/oauth/token", EXCHANGE).status, 200);
    assert_eq!(rig.arrived().len(), 1);
    for _ in 0..3 {
        let trapped = wire::exchange(rig.envoy.port, b"GET /other HTTP/1.1\r\nhost: h\r\nx-tpc-trap: 1\r\n\r\n", false);
        assert_eq!(trapped.status, 503);
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            // Strict traffic is refused by the gate, or by Envoy while there is none; it never passes.
            let refused = rig.post("/oauth/token", PASSWORD);
            if refused.status == 400 {
                break;
            }
            assert_eq!(refused.status, 503, "{}", refused.text());
            assert!(Instant::now() < deadline, "the VM does not come back");
        }
        assert_eq!(rig.post("/oauth/token", EXCHANGE).status, 200);
        let arrived = rig.arrived();
        assert_eq!(arrived.len(), 1, "{arrived:?}");
    }
    assert!(rig.envoy.runs());
}
