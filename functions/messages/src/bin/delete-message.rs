fn main() -> std::process::ExitCode {
    messages::delete_message::main()
}
