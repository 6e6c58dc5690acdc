fn main() -> std::process::ExitCode {
    conversations::create_conversation::main()
}
