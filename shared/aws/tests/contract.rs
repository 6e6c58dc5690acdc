//! The adapters keep the promises of their ports, on the emulator at `AWS_ENDPOINT_URL`.

mod emulator;

use emulator::queues::queues;
use emulator::sockets::gateway;
use emulator::table;

testkit::live_table_promises!(table());
testkit::persist_lane_promises!(queues());
testkit::fan_out_queue_promises!(queues());
testkit::record_queue_promises!(queues());
testkit::presence_queue_promises!(queues());
testkit::pusher_promises!(gateway());
testkit::mail_queue_promises!(queues());
testkit::erasure_queue_promises!(queues());
