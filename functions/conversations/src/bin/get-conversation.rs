fn main() -> std::process::ExitCode {
    conversations::get_conversation::main()
}
