fn main() -> std::process::ExitCode {
    messages::send_message::main()
}
