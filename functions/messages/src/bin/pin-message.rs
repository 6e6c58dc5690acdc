fn main() -> std::process::ExitCode {
    messages::pin_message::main()
}
