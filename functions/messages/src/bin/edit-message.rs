fn main() -> std::process::ExitCode {
    messages::edit_message::main()
}
