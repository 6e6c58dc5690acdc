fn main() -> std::process::ExitCode {
    messages::unpin_message::main()
}
