fn main() -> std::process::ExitCode {
    messages::trace_message::main()
}
